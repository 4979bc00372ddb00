"""Trains, interrupts and looks at what a run has left."""

import contextlib
import gc
import warnings

import numpy as np
import pytest

from tests.zoo.small_network import small_network
from zoo import training
from zoo.workdir import Workdir

PROMISED = [
    "arithmetic.json",
    "config.json",
    "initial.weights.h5",
    "metrics.csv",
    "model.keras",
    "results.json",
    "tensorboard",
    "weight_histograms.json",
]
PROMISED_RESTRICTED = sorted([*PROMISED, "restriction_masks.npz"])


def run(config, path):
    return training.run(config, str(path), progress="none")


def names(path):
    return sorted(entry.name for entry in path.iterdir())


def weights(path):
    return Workdir(path).model().get_weights()


def initial_weights(path, config):
    model = small_network(config)
    model.load_weights(path / "initial.weights.h5")
    return model.get_weights()


def assert_same(ours, theirs):
    assert len(ours) == len(theirs) > 0
    for one, other in zip(ours, theirs):
        np.testing.assert_array_equal(one, other)


def assert_same_history(ours, theirs):
    """The figures of every epoch, as far as `assert_same_figures` goes."""
    assert len(ours.history()) == len(theirs.history()) > 0
    for one, other in zip(ours.history(), theirs.history()):
        assert_same_figures(one, other)


def assert_same_figures(ours, theirs):
    """Losses to rounding, all else to the last bit.

    A validation loss was once seen to differ in its last bit between runs of equal
    weights.
    """
    assert _losses(ours) == pytest.approx(_losses(theirs), rel=1e-6)
    assert {**ours, **_losses(theirs)} == theirs


def _losses(row):
    return {name: value for name, value in row.items() if "loss" in name}


@contextlib.contextmanager
def stopped_by(exception, match=None):
    with pytest.raises(exception, match=match):
        yield
    with warnings.catch_warnings():
        # files that an exception in the middle of `fit` has left open
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


class Interruption:
    """Raises `KeyboardInterrupt` at one place, once."""

    def __init__(self, owner, name, monkeypatch, *, when=lambda *a: True, after=False):
        self.happened = False
        original = getattr(owner, name)

        def interrupted(*arguments, **kwargs):
            hit = not self.happened and when(*arguments)
            if not hit or after:
                result = original(*arguments, **kwargs)
            if hit:
                self.happened = True
                raise KeyboardInterrupt
            return result

        monkeypatch.setattr(owner, name, interrupted)


def at_epoch(number):
    return lambda callback, epoch, *_: epoch == number


def at_step(epoch, step):
    return lambda callback, batch, *_: (callback._epoch, batch) == (epoch, step)
