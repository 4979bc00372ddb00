"""Runs that write figures of their binary layers."""

import pytest
from tensorflow.python.summary.summary_iterator import summary_iterator

from larq_irnet.callbacks import METRICS, FigureFile
from tests.zoo.runs import (
    PROMISED,
    Interruption,
    assert_same,
    assert_same_history,
    at_epoch,
    names,
    run,
    stopped_by,
    weights,
)
from tests.zoo.small_network import small_config
from zoo.epoch_checkpoint import EpochCheckpoint
from zoo.workdir import Workdir, WorkdirError

SETTINGS = {"images": 16, "batch_epochs": 2, "cosine_epochs": 2, "directions": 1}


@pytest.fixture(scope="module")
def plain(tmp_path_factory, small_network_for_module):
    path = tmp_path_factory.mktemp("plain")
    run(small_config(), path)
    return path


@pytest.fixture(scope="module")
def watched(tmp_path_factory, small_network_for_module):
    path = tmp_path_factory.mktemp("watched")
    run(small_config(diagnostics=SETTINGS), path)
    return path


def test_they_are_off_by_default(plain):
    assert names(plain) == PROMISED


def test_the_run_is_the_same(plain, watched):
    assert names(watched) == sorted([*PROMISED, "binarization.csv"])
    assert_same(weights(watched), weights(plain))
    assert_same_history(Workdir(watched), Workdir(plain))


def test_figures_of_all_epochs(watched):
    rows = FigureFile(Workdir(watched).diagnostics_path).read()
    assert {name for _, name, _, _ in rows} == set(METRICS)
    entropies = [row[0] for row in rows if row[1:3] == ("weight_entropy", "binary")]
    assert entropies == [0, 1, 2]
    cosines = [row[0] for row in rows if row[1] == "gradient_cosine"]
    assert cosines == [0, 2]
    columns = set(Workdir(watched).history()[0])
    assert columns & set(METRICS) == {"dead_share", "stuck_share"}


def test_tensorboard_has_them(watched):
    folder = Workdir(watched).tensorboard_path / "binarization"
    tags = {
        value.tag
        for path in folder.iterdir()
        for event in summary_iterator(str(path))
        for value in event.summary.value
    }
    assert {f"binarization/{name}" for name in METRICS} <= tags
    assert {"latent_weights/binary", "signs/binary"} <= tags


def test_an_interrupted_run_has_the_same_figures(
    watched, use_small_network, tmp_path, monkeypatch
):
    Interruption(EpochCheckpoint, "on_epoch_end", monkeypatch, when=at_epoch(1))
    config = small_config(diagnostics=SETTINGS)
    with stopped_by(KeyboardInterrupt):
        run(config, tmp_path)
    run(config, tmp_path)
    ours, theirs = (Workdir(path).diagnostics_path for path in (tmp_path, watched))
    assert ours.read_bytes() == theirs.read_bytes()


def test_a_folder_in_place_of_the_file(use_small_network, tmp_path):
    (tmp_path / "binarization.csv").mkdir()
    with pytest.raises(WorkdirError, match="Cannot write .*: Is a directory"):
        run(small_config(diagnostics=SETTINGS), tmp_path)


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"entropy": 1}, r"`diagnostics` out of \['batch_epochs', .*\['entropy'\]"),
        ({"images": 0}, "'images' of at least 1, got 0"),
        ({"directions": 1.5}, "'directions' of at least 1, got 1.5"),
        ({"metrics": ["entropy"]}, r"'metrics' out of .*, got \('entropy',\)"),
        ({"metrics": []}, "'metrics' out of"),
        ({"metrics": "flip_ratio"}, "'metrics' out of .*, got 'flip_ratio'"),
    ],
)
def test_invalid_settings(settings, message):
    with pytest.raises(ValueError, match=message):
        small_config(diagnostics=settings)


def test_full_precision_has_none():
    with pytest.raises(ValueError, match="empty for a network in full precision"):
        small_config(method="float", diagnostics=SETTINGS)


def test_one_setting_of_a_command_line():
    config = small_config().with_settings({"diagnostics.images": 32})
    assert config.diagnostics == {"images": 32}
