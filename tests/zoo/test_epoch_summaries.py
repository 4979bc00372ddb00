import pytest
import tensorflow as tf
from tensorflow.python.summary.summary_iterator import summary_iterator

from zoo.epoch_summaries import EpochSummaries
from zoo.workdir_error import WorkdirError

LOGS = {"loss": 0.5, "lr": 0.1, "val_loss": 0.25}


def figures(folder):
    """Step, tag and value of all that TensorBoard would show."""
    return [
        (event.step, value.tag, float(tf.make_ndarray(value.tensor)))
        for path in folder.iterdir()
        for event in summary_iterator(str(path))
        for value in event.summary.value
    ]


def test_what_tensorboard_shows(tmp_path):
    summaries = EpochSummaries(tmp_path)
    summaries.on_epoch_end(3, LOGS)
    summaries.on_epoch_end(4, {**LOGS, "val_loss": 0.125})
    summaries.on_train_end()
    train = [("epoch_loss", 0.5), ("epoch_lr", pytest.approx(0.1))]
    assert figures(tmp_path / "train") == [
        (epoch, *figure) for epoch in (3, 4) for figure in train
    ]
    assert figures(tmp_path / "validation") == [
        (3, "epoch_loss", 0.25),
        (4, "epoch_loss", 0.125),
    ]


def test_figures_are_on_the_disk_after_each_epoch(tmp_path):
    summaries = EpochSummaries(tmp_path)
    summaries.on_epoch_end(0, LOGS)
    assert len(figures(tmp_path / "train")) == 2
    summaries.close()
    summaries.close()  # as an exception after the end of the training does


def test_nothing_is_made_before_it_is_needed(tmp_path):
    EpochSummaries(tmp_path / "tensorboard").close()
    assert list(tmp_path.iterdir()) == []


def test_a_file_in_place_of_the_folder(tmp_path):
    (tmp_path / "tensorboard").write_text("in the way")
    summaries = EpochSummaries(tmp_path / "tensorboard")
    with pytest.raises(
        WorkdirError, match="Cannot write .*tensorboard: .* not a directory"
    ):
        summaries.on_epoch_end(0, LOGS)
