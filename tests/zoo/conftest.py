"""Runs that several tests look at, trained once, and a stand-in for the network."""

import shutil

import pytest

from tests.zoo.small_network import UNEVEN_BATCH, small_config, small_network
from zoo import evaluation, recipes, training
from zoo.stop_on_non_finite_loss import StopOnNonFiniteLoss
from zoo.train_config import TrainConfig
from zoo.workdir import Workdir


@pytest.fixture(scope="session")
def finished_run(tmp_path_factory):
    """The smoke run of `irnet_resnet20_digits`; tests must not change it.

    Beside it lies "killed": what was on the disk in the middle of the second epoch.
    """
    path = tmp_path_factory.mktemp("runs") / "finished"
    original = StopOnNonFiniteLoss.on_train_batch_end

    def copying(callback, batch, logs=None):
        original(callback, batch, logs)
        if (callback._epoch, batch) == (1, 1):
            shutil.copytree(path, path.with_name("killed"))

    config = recipes.get("irnet_resnet20_digits").config.shrunk()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(StopOnNonFiniteLoss, "on_train_batch_end", copying)
        training.run(config, str(path), progress="none")
    return Workdir(path)


@pytest.fixture(scope="session")
def finished_model(finished_run):
    """The model of `finished_run`; tests must not change it."""
    return finished_run.model()


@pytest.fixture(scope="session")
def small_run(tmp_path_factory):
    """A finished run of the small network; tests must not change it."""
    path = tmp_path_factory.mktemp("small")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TrainConfig, "build_model", small_network)
        training.run(small_config(), str(path), progress="none")
    return Workdir(path)


@pytest.fixture
def use_small_network(monkeypatch):
    """Every configuration builds the small network, to train in a second."""
    monkeypatch.setattr(TrainConfig, "build_model", small_network)


@pytest.fixture(scope="module")
def small_network_for_module():
    """The same for all tests of a module, and evaluation in the batches of commands."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TrainConfig, "build_model", small_network)
        patch.setattr(evaluation, "_BATCH_SIZE", UNEVEN_BATCH)
        yield


@pytest.fixture
def fails_if_it_trains(monkeypatch):
    def build_model(self):
        raise AssertionError("This run is complete and must not be trained again.")

    monkeypatch.setattr(TrainConfig, "build_model", build_model)
