"""A disk that is full at the worst moment, and has room again later."""

import contextlib
import errno
import os

import pytest

from tests.zoo.commands import assert_fails_in_one_line, call_command
from tests.zoo.runs import PROMISED, assert_same, assert_same_history, names, weights
from zoo.epoch_checkpoint import EpochCheckpoint
from zoo.epoch_summaries import EpochSummaries
from zoo.workdir import Workdir

resource = pytest.importorskip("resource", reason="limits files on Unix only")


@contextlib.contextmanager
def files_no_larger_than(size):
    """A larger one cannot be written, by whatever library."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.fixture
def train(capsys, use_small_network):
    """Two epochs of three steps by `irnet-train`."""
    recipe = "--recipe=irnet_resnet20_digits", "--smoke", "--progress=none"
    return lambda path: call_command("train", [*recipe, f"--workdir={path}"], capsys)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return tmp_path_factory.mktemp("whole")


def in_epoch(number):
    return lambda owner, epoch, *rest: epoch == number


PLACES = {
    "config.json": (Workdir, "create", 100, None, "Expected a workdir that can be"),
    "initial.weights.h5": (
        Workdir,
        "write_initial_weights",
        3000,
        None,
        "Cannot write {}/",
    ),
    "metrics.csv": (Workdir, "append_metrics", 150, in_epoch(1), "Cannot write {}/"),
    "weight_histograms.json": (
        Workdir,
        "append_histogram",
        300,
        lambda folder, histogram: histogram.epoch == 1,
        "Cannot write {}/",
    ),
    "tensorboard": (
        EpochSummaries,
        "on_epoch_end",
        150,
        in_epoch(1),
        "Cannot write {}/",
    ),
    "of epoch 1": (
        EpochCheckpoint,
        "on_epoch_end",
        2000,
        in_epoch(0),
        "the checkpoint",
    ),
    "that of epoch 1 is kept": (
        EpochCheckpoint,
        "on_epoch_end",
        2000,
        in_epoch(1),
        "the checkpoint of epoch 2",
    ),
    "model.keras": (Workdir, "write_model", 5000, None, "Cannot write {}/"),
    "results.json": (Workdir, "write_results", 100, None, "Cannot write {}/"),
}


def is_full(monkeypatch, owner, name, size, when):
    original = getattr(owner, name)

    def limited(*arguments, **kwargs):
        if when and not when(*arguments):
            return original(*arguments, **kwargs)
        with files_no_larger_than(size):
            return original(*arguments, **kwargs)

    monkeypatch.setattr(owner, name, limited)


@pytest.mark.parametrize("what", PLACES)
def test_one_line_and_later_the_same_run(what, train, whole, tmp_path):
    if not names(whole):
        assert train(whole).code == 0
    owner, name, size, when, words = PLACES[what]
    with pytest.MonkeyPatch.context() as patch:
        is_full(patch, owner, name, size, when)
        outcome = train(tmp_path)
    reason = os.strerror(errno.EFBIG)
    assert_fails_in_one_line(outcome, words.format(tmp_path), reason)
    assert what in outcome.stderr or what == "config.json"
    assert not Workdir(tmp_path).is_complete
    assert not list(tmp_path.rglob(".partial*"))
    assert not list(tmp_path.rglob("*_temp"))

    assert train(tmp_path).code == 0
    assert names(tmp_path) == PROMISED
    # the same operations in the same order: equal to the last bit
    assert_same(weights(tmp_path), weights(whole))
    assert_same_history(Workdir(tmp_path), Workdir(whole))
    ours, theirs = (Workdir(path).results()["test"] for path in (tmp_path, whole))
    assert ours == pytest.approx(theirs, rel=1e-6)


def test_the_checkpoint_before_is_kept(train, tmp_path, monkeypatch):
    is_full(monkeypatch, EpochCheckpoint, "on_epoch_end", 2000, in_epoch(1))
    assert train(tmp_path).code == 1
    checkpoints = tmp_path / "checkpoints"
    assert [path.name for path in checkpoints.glob("*.index")] == ["ckpt-1.index"]


def test_a_file_in_place_of_the_folder_of_tensorboard(train, tmp_path):
    (tmp_path / "tensorboard").write_text("in the way")
    outcome = train(tmp_path)
    assert_fails_in_one_line(outcome, f"Cannot write {tmp_path}/tensorboard: ")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs Linux's /dev/full")
def test_metrics_on_a_full_disk(train, tmp_path, monkeypatch):
    original = Workdir.append_metrics

    def append_metrics(folder, epoch, logs):
        folder.metrics_path.unlink()
        folder.metrics_path.symlink_to("/dev/full")
        original(folder, epoch, logs)

    monkeypatch.setattr(Workdir, "append_metrics", append_metrics)
    outcome = train(tmp_path)
    assert_fails_in_one_line(
        outcome, f"Cannot write {tmp_path}/metrics.csv: No space left on device"
    )
