"""Runs that are interrupted or killed, and go on."""

import contextlib
import logging
import os
import shutil

import pytest

from tests.zoo.runs import (
    PROMISED,
    Interruption,
    assert_same,
    assert_same_figures,
    assert_same_history,
    at_epoch,
    at_step,
    initial_weights,
    names,
    run,
    stopped_by,
    weights,
)
from tests.zoo.small_network import small_config, small_network
from zoo.datasets import InMemoryDataset
from zoo.epoch_checkpoint import EpochCheckpoint
from zoo.run_summary import arithmetic
from zoo.stop_on_non_finite_loss import StopOnNonFiniteLoss
from zoo.train_config import TrainConfig
from zoo.workdir import Workdir, WorkdirError

PLACES = {
    "in the first epoch": (
        StopOnNonFiniteLoss,
        "on_train_batch_end",
        {"when": at_step(0, 1)},
    ),
    "after an epoch": (
        EpochCheckpoint,
        "on_epoch_end",
        {"when": at_epoch(0), "after": True},
    ),
    "before the checkpoint": (
        EpochCheckpoint,
        "on_epoch_end",
        {"when": at_epoch(1)},
    ),
    "in the middle of an epoch": (
        StopOnNonFiniteLoss,
        "on_train_batch_end",
        {"when": at_step(1, 0)},
    ),
    "before the results are written": (Workdir, "write_results", {}),
    "before the checkpoints are removed": (shutil, "rmtree", {}),
}


@pytest.mark.parametrize("place", PLACES)
def test_an_interrupted_run_ends_like_an_uninterrupted_one(
    place, small_run, use_small_network, tmp_path, monkeypatch
):
    owner, name, options = PLACES[place]
    interruption = Interruption(owner, name, monkeypatch, **options)
    with stopped_by(KeyboardInterrupt):
        run(small_config(), tmp_path)
    assert interruption.happened
    results = run(small_config(), tmp_path)

    assert names(tmp_path) == PROMISED
    assert not list(tmp_path.rglob(".partial*"))
    # the same operations in the same order: equal to the last bit
    assert_same(weights(tmp_path), weights(small_run.path))
    assert_same_history(Workdir(tmp_path), small_run)
    ours, theirs = Workdir(tmp_path).histograms_path, small_run.histograms_path
    assert ours.read_bytes() == theirs.read_bytes()
    assert_same_figures(results["test"], small_run.results()["test"])
    assert_same(
        initial_weights(tmp_path, small_config()),
        initial_weights(small_run.path, small_config()),
    )


def test_loss_scale_and_momentum_are_resumed(use_small_network, tmp_path, monkeypatch):
    config = small_config(precision="mixed_float16", optimizer="sgd", method="ste_sign")
    run(config, tmp_path / "whole")
    Interruption(
        EpochCheckpoint,
        "on_epoch_end",
        monkeypatch,
        when=at_epoch(1),
        after=True,
    )
    with stopped_by(KeyboardInterrupt):
        run(config, tmp_path / "parts")
    run(config, tmp_path / "parts")
    assert_same(weights(tmp_path / "parts"), weights(tmp_path / "whole"))


def test_augmentation_is_resumed(use_small_network, tmp_path, monkeypatch):
    config = small_config(
        dataset="synthetic_cifar10",
        optimizer="sgd",
        weight_decay=1e-4,
        learning_rate_schedule="step",
        warmup_epochs=1.5,
        decay_epochs=(2,),
        estimator_update_freq="batch",
    )
    run(config, tmp_path / "whole")
    Interruption(
        StopOnNonFiniteLoss, "on_train_batch_end", monkeypatch, when=at_step(1, 1)
    )
    with stopped_by(KeyboardInterrupt):
        run(config, tmp_path / "parts")
    run(config, tmp_path / "parts")
    assert_same(weights(tmp_path / "parts"), weights(tmp_path / "whole"))
    parts, whole = Workdir(tmp_path / "parts"), Workdir(tmp_path / "whole")
    assert_same_history(parts, whole)


@pytest.fixture
def trained_epochs(monkeypatch):
    """The ranges of epochs that were asked of the dataset."""
    epochs = []
    original = InMemoryDataset.training_batches

    def recorded(self, **arguments):
        epochs.append(arguments["epochs"])
        return original(self, **arguments)

    monkeypatch.setattr(InMemoryDataset, "training_batches", recorded)
    return epochs


def test_resnet20_that_was_killed_resumes(
    finished_run, tmp_path, caplog, trained_epochs
):
    path = tmp_path / "run"
    shutil.copytree(finished_run.path.with_name("killed"), path)
    assert [row["epoch"] for row in Workdir(path).history()] == [0]
    caplog.set_level(logging.INFO, "zoo.training")
    run(finished_run.config(), path)
    assert "resuming after epoch 1 of 2" in caplog.text
    assert trained_epochs == [range(1, 2)]
    assert names(path) == PROMISED
    # the same operations in the same order: equal to the last bit
    assert_same(weights(path), weights(finished_run.path))
    assert_same_history(Workdir(path), finished_run)


@pytest.fixture(scope="module")
def stopped_run(tmp_path_factory):
    """A run of the small network that lacks nothing but its model and results."""
    path = tmp_path_factory.mktemp("stopped")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TrainConfig, "build_model", small_network)
        Interruption(Workdir, "write_model", patch)
        with stopped_by(KeyboardInterrupt):
            run(small_config(), path)
    return path


def test_an_interrupted_run_keeps_two_checkpoints_and_no_model(stopped_run):
    left = set(PROMISED) - {"model.keras", "results.json"}
    assert set(names(stopped_run)) == left | {"checkpoints"}
    assert len(list((stopped_run / "checkpoints").glob("*.index"))) == 2


def test_a_run_stopped_before_its_model_was_saved(
    stopped_run, small_run, use_small_network, tmp_path
):
    shutil.copytree(stopped_run, tmp_path / "run")
    run(small_config(), tmp_path / "run")
    assert names(tmp_path / "run") == PROMISED
    assert_same(weights(tmp_path / "run"), weights(small_run.path))


def damage(pattern, kept, checkpoints):
    for path in checkpoints.glob(pattern):
        content = path.read_bytes()
        path.unlink()
        if kept is not None:
            path.write_bytes(content[:kept])


@pytest.mark.parametrize("pattern", ["*.index", "*.data*"])
@pytest.mark.parametrize("kept", [0, 40, None])  # bytes; None: no file at all
def test_damaged_checkpoints(pattern, kept, stopped_run, use_small_network, tmp_path):
    shutil.copytree(stopped_run, tmp_path / "run")
    damage(pattern, kept, tmp_path / "run" / "checkpoints")
    message = "Expected a checkpoint that can be read .*found 2 damaged ones"
    with pytest.raises(WorkdirError, match=message):
        run(small_config(), tmp_path / "run")
    assert "model.keras" not in names(tmp_path / "run")


def test_the_last_checkpoint_but_one_is_used_if_the_last_is_damaged(
    stopped_run, small_run, use_small_network, tmp_path, trained_epochs, caplog
):
    shutil.copytree(stopped_run, tmp_path / "run")
    damage("ckpt-3.data*", 2000, tmp_path / "run" / "checkpoints")
    run(small_config(), tmp_path / "run")
    assert "cannot read checkpoint" in caplog.text
    assert trained_epochs == [range(2, 3)]
    assert_same(weights(tmp_path / "run"), weights(small_run.path))
    assert_same_history(Workdir(tmp_path / "run"), small_run)
    assert Workdir(tmp_path / "run").histograms() == small_run.histograms()


@pytest.mark.parametrize("lines", [0, 1, 2])
def test_metrics_that_lack_epochs(
    lines, stopped_run, small_run, use_small_network, tmp_path, caplog
):
    shutil.copytree(stopped_run, tmp_path / "run")
    path = tmp_path / "run" / "metrics.csv"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:lines]))
    run(small_config(), tmp_path / "run")
    assert f"{3 - max(lines - 1, 0)} epochs are missing in {path}" in caplog.text
    assert_same(weights(tmp_path / "run"), weights(small_run.path))


@pytest.mark.parametrize("threads, is_said", [(None, False), (7, True)])
def test_going_on_with_other_threads_is_said(
    threads, is_said, stopped_run, use_small_network, tmp_path, caplog
):
    shutil.copytree(stopped_run, tmp_path / "run")
    folder = Workdir(tmp_path / "run")
    before = folder.arithmetic()
    assert before == arithmetic()
    if threads is not None:
        before = {**before, "threads": threads}
        folder.write_arithmetic(before)
    run(small_config(), folder.path)
    assert (f"has begun with {before} and goes on with" in caplog.text) == is_said
    assert folder.arithmetic() == before


def test_a_damaged_note_of_the_threads_stops_nothing(
    stopped_run, small_run, use_small_network, tmp_path, caplog
):
    shutil.copytree(stopped_run, tmp_path / "run")
    (tmp_path / "run" / "arithmetic.json").write_text("3")
    run(small_config(), tmp_path / "run")
    assert "Remove the file; the run stays" in caplog.text
    assert_same(weights(tmp_path / "run"), weights(small_run.path))


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="needs Linux's /proc")
def test_no_file_stays_open_after_an_interruption(
    use_small_network, tmp_path, monkeypatch
):
    Interruption(
        StopOnNonFiniteLoss,
        "on_train_batch_end",
        monkeypatch,
        when=at_step(1, 0),
    )
    with stopped_by(KeyboardInterrupt):
        try:
            run(small_config(steps_per_epoch=1), tmp_path)
        finally:  # while the exception lives, as in an interactive session
            opened = open_files()
    assert str(tmp_path / "metrics.csv") not in opened


def open_files():
    paths = []
    for descriptor in os.listdir("/proc/self/fd"):
        with contextlib.suppress(FileNotFoundError):  # that of the listing itself
            paths.append(os.readlink(f"/proc/self/fd/{descriptor}"))
    return paths
