"""One run on three virtual devices and on one."""

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from tests.zoo.commands import outcome_of, start_module
from tests.zoo.mirrored_runs import EXACT, REPLICAS, distilled, restricted
from tests.zoo.runs import PROMISED, PROMISED_RESTRICTED, names, run, weights
from zoo.workdir import Workdir

# float64: sums of a batch in another order, over 24 steps
RUNS = ["exact", "distilled", "restricted"]
ROUNDING: dict[str, Any] = {"rtol": 1e-12, "atol": 1e-12}


@pytest.fixture(scope="module")
def mirrored(tmp_path_factory):
    """What three devices have printed, and where their runs are."""
    path = tmp_path_factory.mktemp("mirrored")
    outcome = outcome_of(start_module("tests.zoo.mirrored_runs", str(path)))
    assert outcome.code == 0, outcome.stderr
    return outcome, path


@pytest.fixture(scope="module")
def single(tmp_path_factory, small_network_for_module):
    path = tmp_path_factory.mktemp("single")
    run(EXACT, path / "exact")
    run(distilled(path), path / "distilled")
    run(restricted(path), path / "restricted")
    return path


# "exact" was resumed on the three devices, and not interrupted on the one
@pytest.mark.parametrize("name", RUNS)
def test_weights_are_those_of_one_device(mirrored, single, name):
    path = mirrored[1] / name
    assert names(path) == (PROMISED_RESTRICTED if name == "restricted" else PROMISED)
    for ours, theirs in zip(weights(path), weights(single / name), strict=True):
        assert ours.dtype == np.float64
        np.testing.assert_allclose(ours, theirs, **ROUNDING)


@pytest.mark.parametrize("name", RUNS)
def test_metrics_and_results_are_those_of_one_device(mirrored, single, name):
    # 200 and 400 images in batches of 57, of which no third is whole: each counts once
    ours, theirs = Workdir(mirrored[1] / name), Workdir(single / name)
    for one, other in zip(ours.history(), theirs.history(), strict=True):
        assert one == pytest.approx(other, rel=1e-6)  # metrics are float32
    for split in "validation", "test":
        assert ours.results()[split]["accuracy"] == theirs.results()[split]["accuracy"]
    assert (ours.results()["replicas"], theirs.results()["replicas"]) == (REPLICAS, 1)


def test_masks_are_those_of_one_device(mirrored, single):
    ours, theirs = (Workdir(p / "restricted").masks() for p in (mirrored[1], single))
    for one, other in zip(ours.snapshots, theirs.snapshots, strict=True):
        np.testing.assert_array_equal(one.kept, other.kept)
        assert 0 < one.kept.mean() < 1


def test_half_precision_on_three_devices_learns(mirrored):
    losses = [row["loss"] for row in Workdir(mirrored[1] / "half").history()]
    assert np.all(np.isfinite(losses))
    assert losses[-1] < losses[0]
    model = Workdir(mirrored[1] / "half").model()
    assert {weight.dtype for weight in model.weights} == {tf.float32}


def test_a_batch_that_three_devices_cannot_share(mirrored):
    outcome, path = mirrored
    assert outcome.stdout == (
        "Expected `batch_size` to be a multiple of the 3 replicas, got 64.\n"
    )
    assert "indivisible" not in names(path)


def test_no_warnings_of_strategies(mirrored):
    assert "significant overhead" not in mirrored[0].stderr
