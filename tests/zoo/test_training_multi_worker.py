"""One run by two workers on this machine, and by one process."""

import dataclasses
import json
import signal
import socket
from typing import Any

import numpy as np
import pytest

from tests.zoo.commands import outcome_of, start_module
from tests.zoo.runs import (
    PROMISED,
    Interruption,
    at_epoch,
    names,
    run,
    stopped_by,
    weights,
)
from tests.zoo.worker_runs import FLAGS
from zoo import recipes
from zoo.epoch_checkpoint import EpochCheckpoint
from zoo.workdir import Workdir

CONFIG = dataclasses.replace(
    recipes.get("irnet_resnet20_digits_sgd").config,
    precision="float64",
    synchronized_batch_norm=True,
    epochs=3,
)

# float64: sums of a batch in another order, over 54 steps
ROUNDING: dict[str, Any] = {"rtol": 1e-12, "atol": 1e-12}


def free_addresses():
    with socket.socket() as one, socket.socket() as other:
        for listener in one, other:
            listener.bind(("127.0.0.1", 0))
        return [f"127.0.0.1:{s.getsockname()[1]}" for s in (one, other)]


def outcomes_of_two(module, *arguments):
    """What two processes print that train together."""
    cluster = {"worker": free_addresses()}
    processes = [
        start_module(
            module,
            *arguments,
            TF_CONFIG=json.dumps(
                {"cluster": cluster, "task": {"type": "worker", "index": index}}
            ),
        )
        for index in range(2)
    ]
    try:
        return [outcome_of(process) for process in processes]
    finally:
        for process in processes:
            process.kill()


def part_of(text, name):
    """What was printed during one of the runs."""
    return text.partition(f"== {name}\n")[2].partition("== ")[0]


@pytest.fixture(scope="module")
def single(tmp_path_factory, small_network_for_module):
    """The run of one process; beside it lies "apart0", the same but interrupted."""
    path = tmp_path_factory.mktemp("workers") / "single"
    run(CONFIG, path)
    with pytest.MonkeyPatch.context() as patch, stopped_by(KeyboardInterrupt):
        Interruption(
            EpochCheckpoint, "on_epoch_end", patch, when=at_epoch(0), after=True
        )
        run(CONFIG, path.with_name("apart0"))
    return path


@pytest.fixture(scope="module")
def printed(single):
    """What both workers have printed in each of the runs of `worker_runs`."""
    outcomes = outcomes_of_two("tests.zoo.worker_runs", str(single.parent))
    codes = [outcome.code for outcome in outcomes]
    assert codes == [1, -signal.SIGKILL], outcomes
    return outcomes


def assert_is_the_run_of_one_process(path, single):
    assert names(path) == PROMISED
    for ours, theirs in zip(weights(path), weights(single), strict=True):
        assert ours.dtype == np.float64
        np.testing.assert_allclose(ours, theirs, **ROUNDING)
    ours, theirs = Workdir(path), Workdir(single)
    for one, other in zip(ours.history(), theirs.history(), strict=True):
        assert one == pytest.approx(other, rel=1e-6)  # metrics are float32
    for split in "validation", "test":
        assert ours.results()[split]["accuracy"] == theirs.results()[split]["accuracy"]
    assert ours.results()["replicas"] == 2


def test_two_workers_train_what_one_process_trains(printed, single):
    # the images of evaluation come in batches of 57: no half is whole, each counts once
    assert_is_the_run_of_one_process(single.with_name("whole"), single)


def test_only_the_chief_shows_progress_and_both_the_result(printed):
    chief, other = (part_of(outcome.stdout, "whole") for outcome in printed)
    assert [line[:10] for line in chief.splitlines()[:3]] == [
        f"epoch {epoch}/3:" for epoch in (1, 2, 3)
    ]
    assert chief.splitlines()[3:] == other.splitlines()
    assert other.startswith("irnet_resnet20_digits_sgd: validation ")


@pytest.mark.parametrize("index", [0, 1])
def test_workers_that_do_not_share_their_folder(printed, index):
    message = (
        "error: Expected all workers to begin after the same epoch, got [0, 1]. Give "
        "them one workdir that they share."
    )
    assert part_of(printed[index].stderr, f"apart{index}").strip() == message


def test_a_killed_worker_ends_the_other_in_one_line(printed):
    stderr = part_of(printed[0].stderr, "lost")
    assert "Traceback" not in stderr
    last = stderr.strip().splitlines()[-1]
    assert last.startswith("error: Another worker of this run has stopped: ")


def test_both_started_again_go_on(printed, single):
    path = single.with_name("lost")
    assert [row["epoch"] for row in Workdir(path).history()] == [0]
    assert "checkpoints" in names(path)
    arguments = *FLAGS, "--strategy=multi_worker", f"--workdir={path}"
    outcomes = outcomes_of_two("tests.zoo.train_small", *arguments)
    assert [outcome.code for outcome in outcomes] == [0, 0], outcomes
    assert "epoch 1/3" not in outcomes[0].stdout
    assert "epoch 2/3" in outcomes[0].stdout
    assert_is_the_run_of_one_process(path, single)
