"""A run as a user starts it, killed again and again."""

import random
import signal
import time

import pytest

from tests.zoo.commands import outcome_of, start_module
from tests.zoo.runs import PROMISED, assert_same, names, run, weights
from zoo import recipes
from zoo.workdir import Workdir

RECIPE = "irnet_resnet20_digits"  # 40 epochs; with the small network four seconds


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory, small_network_for_module):
    path = tmp_path_factory.mktemp("uninterrupted")
    run(recipes.get(RECIPE).config, path)
    return path


def wait_until(happened, process, pause=0.001):
    while not happened():
        assert process.poll() is None, outcome_of(process)
        time.sleep(pause)


def epochs_written(path):
    metrics = path / "metrics.csv"
    return metrics.read_text().count("\n") - 1 if metrics.exists() else 0


def in_start_up(path, process, chance):
    time.sleep(chance.uniform(0.0, 4.0))


def in_an_epoch(path, process, chance):
    target = epochs_written(path) + chance.randint(2, 8)
    wait_until(lambda: epochs_written(path) >= target, process)
    time.sleep(chance.uniform(0.0, 0.1))


def in_the_writing_of_a_checkpoint(path, process, chance):
    folder = path / "checkpoints"
    target = epochs_written(path) + chance.randint(2, 8)
    wait_until(lambda: epochs_written(path) >= target, process)
    # its files have other names for a millisecond
    wait_until(lambda: [*folder.glob("*tmp*"), *folder.glob("*_temp")], process, 0.0)


def after_the_last_epoch(path, process, chance):
    wait_until(lambda: epochs_written(path) == 40, process)
    time.sleep(chance.uniform(0.0, 0.1))


def test_a_run_that_is_killed_ends_like_an_uninterrupted_one(uninterrupted, tmp_path):
    chance = random.Random(20)
    arguments = f"--recipe={RECIPE}", "--progress=epochs", f"--workdir={tmp_path}"
    for killed in (
        in_start_up,
        in_an_epoch,
        in_the_writing_of_a_checkpoint,
        in_an_epoch,
        after_the_last_epoch,
    ):
        process = start_module("tests.zoo.train_small", *arguments)
        try:
            killed(tmp_path, process, chance)
        finally:
            process.kill()
        assert outcome_of(process).code == -signal.SIGKILL, killed.__name__

    outcome = outcome_of(start_module("tests.zoo.train_small", *arguments))
    assert outcome.code == 0, outcome.stderr
    assert names(tmp_path) == PROMISED
    assert not list(tmp_path.rglob(".partial*"))
    # the same operations in the same order: equal to the last bit
    assert_same(weights(tmp_path), weights(uninterrupted))
    ours, theirs = Workdir(tmp_path), Workdir(uninterrupted)
    assert ours.metrics_path.read_bytes() == theirs.metrics_path.read_bytes()
    assert ours.histograms_path.read_bytes() == theirs.histograms_path.read_bytes()
    assert in_any_session(ours.results()) == in_any_session(theirs.results())


def in_any_session(results):
    return {name: results[name] for name in results if not name.startswith("seconds")}
