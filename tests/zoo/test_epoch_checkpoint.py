"""What checkpoints leave on the disk, whenever the process was killed."""

import shutil

import pytest
import tensorflow as tf

from tests.zoo.runs import assert_same
from tests.zoo.small_network import small_config, small_network
from zoo import training
from zoo.epoch_checkpoint import EpochCheckpoint
from zoo.workdir_error import WorkdirError

DATA = "ckpt-{}.data-00000-of-00001"


def compiled():
    model = small_network(small_config())
    training.compile_for(model, small_config())
    return model


def saved(directory, epochs):
    """The weights of a model that has been saved after each of the epochs."""
    model = compiled()
    checkpoint = EpochCheckpoint(str(directory), model)
    for epoch in range(epochs):
        model.set_weights([weight + 1 for weight in model.get_weights()])
        checkpoint.on_epoch_end(epoch)
    return model.get_weights()


def restored(directory):
    model = compiled()
    epochs = EpochCheckpoint(str(directory), model).restore()
    return epochs, model.get_weights()


def names(directory):
    return sorted(path.name for path in directory.iterdir())


def files(*numbers):
    return [
        "checkpoint",
        *(name for n in numbers for name in (DATA.format(n), f"ckpt-{n}.index")),
    ]


@pytest.mark.parametrize("epochs", [0, 1, 2, 3])
def test_the_last_two_are_kept(epochs, tmp_path):
    weights = saved(tmp_path, epochs)
    kept = range(max(1, epochs - 1), epochs + 1)
    assert names(tmp_path) == (files(*kept) if epochs else [])
    found, again = restored(tmp_path)
    assert found == epochs
    if epochs:
        assert_same(again, weights)


def partly_written_data(folder):
    (folder / "ckpt-3_temp").mkdir()
    (folder / "ckpt-3_temp" / "part-00000-of-00001.data.tempstate672").write_text("x")


def data_without_index(folder):
    shutil.copy(folder / DATA.format(2), folder / DATA.format(3))
    (folder / "ckpt-3_temp").mkdir()
    (folder / "ckpt-3_temp" / "part-00000-of-00001.index").write_text("x")


def complete_but_not_listed(folder):
    shutil.copy(folder / DATA.format(2), folder / DATA.format(3))
    shutil.copy(folder / "ckpt-2.index", folder / "ckpt-3.index")


def partly_written_list(folder):
    complete_but_not_listed(folder)
    (folder / "checkpoint.tmp66bb9b9578ac463e").write_text("model_checkp")


def old_one_partly_deleted(folder):
    (folder / DATA.format(0)).write_text("x")


@pytest.mark.parametrize(
    "interrupted",
    [
        partly_written_data,
        data_without_index,
        complete_but_not_listed,
        partly_written_list,
        old_one_partly_deleted,
    ],
)
def test_what_a_killed_process_leaves_is_not_used_and_removed(interrupted, tmp_path):
    # the states between TensorFlow's system calls when it saves, in their order
    weights = saved(tmp_path, 2)
    interrupted(tmp_path)
    model = compiled()
    checkpoint = EpochCheckpoint(str(tmp_path), model)
    assert checkpoint.restore() == 2
    assert_same(model.get_weights(), weights)
    checkpoint.on_epoch_end(2)
    assert names(tmp_path) == files(2, 3)
    assert restored(tmp_path)[0] == 3


def test_the_newest_counts_while_old_ones_are_still_listed(tmp_path):
    weights = saved(tmp_path, 3)
    listed = (tmp_path / "checkpoint").read_text()
    (tmp_path / "checkpoint").write_text(
        listed + 'all_model_checkpoint_paths: "ckpt-1"\n'
    )
    epochs, again = restored(tmp_path)
    assert epochs == 3
    assert_same(again, weights)


@pytest.mark.parametrize("content", [None, "", "garbage {"], ids=repr)
def test_a_lost_list_is_made_again(content, tmp_path, caplog):
    weights = saved(tmp_path, 3)
    (tmp_path / "checkpoint").unlink()
    if content is not None:
        (tmp_path / "checkpoint").write_text(content)
    model = compiled()
    checkpoint = EpochCheckpoint(str(tmp_path), model)
    assert "the list of checkpoints" in caplog.text
    assert checkpoint.restore() == 3
    assert_same(model.get_weights(), weights)
    checkpoint.on_epoch_end(3)
    assert names(tmp_path) == files(3, 4)


@pytest.mark.parametrize("content", ["", "garbage {"], ids=repr)
def test_a_damaged_list_of_nothing(content, tmp_path):
    (tmp_path / "checkpoint").write_text(content)
    assert restored(tmp_path)[0] == 0


def test_a_checkpoint_that_lacks_a_weight_is_not_used(tmp_path):
    model = compiled()
    tf.train.CheckpointManager(
        tf.train.Checkpoint(optimizer=model.optimizer), str(tmp_path), max_to_keep=1
    ).save()
    with pytest.raises(WorkdirError, match="found 1 damaged ones"):
        restored(tmp_path)


def test_a_file_in_place_of_the_folder(tmp_path):
    (tmp_path / "checkpoints").write_text("in the way")
    checkpoint = EpochCheckpoint(str(tmp_path / "checkpoints"), compiled())
    message = (
        r"Cannot write the checkpoint of epoch 1 in .*checkpoints \(there is none yet\)"
        r": .*is not a directory\. .*run the same command again\."
    )
    with pytest.raises(WorkdirError, match=message):
        checkpoint.on_epoch_end(0)


def test_a_failure_keeps_the_one_before(tmp_path, monkeypatch):
    weights = saved(tmp_path, 1)

    def full(manager):
        partly_written_data(tmp_path)
        raise tf.errors.ResourceExhaustedError(None, None, "x; No space left on device")

    checkpoint = EpochCheckpoint(str(tmp_path), compiled())
    monkeypatch.setattr(tf.train.CheckpointManager, "save", full)
    message = r"of epoch 2 in .* \(that of epoch 1 is kept\): No space left on device"
    with pytest.raises(WorkdirError, match=message):
        checkpoint.on_epoch_end(1)
    assert names(tmp_path) == files(1)
    epochs, again = restored(tmp_path)
    assert epochs == 1
    assert_same(again, weights)


def test_a_worker_that_is_not_the_chief_leaves_nothing(tmp_path):
    checkpoint = EpochCheckpoint(str(tmp_path / "run"), compiled(), is_chief=False)
    checkpoint.on_epoch_end(0)
    assert names(tmp_path) == []
