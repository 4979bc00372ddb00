"""Larq's quantized scope, left on by somebody else's exception."""

import contextlib

import larq as lq
import numpy as np
import pytest

from tests.zoo.runs import (
    Interruption,
    assert_same,
    assert_same_history,
    at_epoch,
    initial_weights,
    run,
    stopped_by,
    weights,
)
from tests.zoo.small_network import small_config, small_network
from zoo.epoch_checkpoint import EpochCheckpoint
from zoo.train_config import TrainConfig
from zoo.workdir import Workdir


@contextlib.contextmanager
def scope_left_on():
    """Larq's own is not left when something is raised, and would reach other tests."""
    try:
        with lq.context.quantized_scope(True):
            yield
    finally:
        lq.context.quantized_scope(False).__enter__()


def test_the_scope_does_make_weights_binary():
    kernel = small_network(small_config()).get_layer("binary").kernel
    with scope_left_on():
        assert len(np.unique(np.abs(kernel.numpy()))) <= kernel.shape[-1]
    assert len(np.unique(np.abs(kernel.numpy()))) > kernel.shape[-1]


@pytest.fixture(scope="module")
def run_in_scope(tmp_path_factory):
    """Interrupted and resumed, all in a scope that nobody has left."""
    path = tmp_path_factory.mktemp("scope")
    with pytest.MonkeyPatch.context() as patch, scope_left_on():
        patch.setattr(TrainConfig, "build_model", small_network)
        Interruption(
            EpochCheckpoint,
            "on_epoch_end",
            patch,
            when=at_epoch(1),
            after=True,
        )
        with stopped_by(KeyboardInterrupt):
            run(small_config(), path)
        run(small_config(), path)
    return Workdir(path)


def test_saved_weights_are_latent_in_a_quantized_scope(run_in_scope):
    kernel = run_in_scope.model().get_layer("binary").get_weights()[0]
    assert len(np.unique(np.abs(kernel))) > kernel.size / 2


def test_training_is_the_same_in_a_quantized_scope(run_in_scope, small_run):
    assert_same(weights(run_in_scope.path), weights(small_run.path))
    assert_same_history(run_in_scope, small_run)
    assert run_in_scope.histograms() == small_run.histograms()


def test_initial_weights_are_latent_in_a_quantized_scope(run_in_scope, small_run):
    assert_same(
        initial_weights(run_in_scope.path, small_config()),
        initial_weights(small_run.path, small_config()),
    )


def test_constrained_weights_are_latent_in_a_quantized_scope(
    use_small_network, tmp_path
):
    config = small_config(method="ste_sign")  # clips its weights after each step
    run(config, tmp_path / "plain")
    with scope_left_on():
        run(config, tmp_path / "scope")
    assert_same(weights(tmp_path / "scope"), weights(tmp_path / "plain"))
