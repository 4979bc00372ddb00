"""Losses that are not finite, and runs that cannot begin."""

import math

import pytest
import tensorflow as tf

from tests.zoo.runs import names, run, stopped_by
from tests.zoo.small_network import small_config
from zoo.stop_on_non_finite_loss import StopOnNonFiniteLoss, TrainingDiverged
from zoo.train_config import TrainConfig
from zoo.workdir import Workdir, WorkdirError

DIVERGING = {"optimizer": "sgd", "learning_rate": 1e30}


def test_divergence(use_small_network, tmp_path):
    tf.keras.mixed_precision.set_global_policy("mixed_bfloat16")
    message = r"became (nan|inf) in epoch 1, step 2. Train with a lower learning rate"
    with stopped_by(TrainingDiverged, message):
        run(small_config(**DIVERGING), tmp_path)
    assert tf.keras.mixed_precision.global_policy().name == "mixed_bfloat16"
    assert "model.keras" not in names(tmp_path)
    assert "results.json" not in names(tmp_path)


def test_divergence_at_the_last_step(use_small_network, tmp_path):
    # The loss of the only step is finite, that of the validation after it is not.
    with stopped_by(TrainingDiverged):
        run(small_config(**DIVERGING, epochs=1, steps_per_epoch=1), tmp_path)
    assert "model.keras" not in names(tmp_path)
    assert "results.json" not in names(tmp_path)


def test_epochs_before_a_divergence_are_kept(use_small_network, tmp_path, monkeypatch):
    original = StopOnNonFiniteLoss.on_train_batch_end

    def diverging(callback, batch, logs=None):
        if callback._epoch == 1:
            logs = {"loss": math.nan}
        original(callback, batch, logs)

    monkeypatch.setattr(StopOnNonFiniteLoss, "on_train_batch_end", diverging)
    with stopped_by(TrainingDiverged, "became nan in epoch 2, step 1"):
        run(small_config(epochs=2), tmp_path)
    assert [row["epoch"] for row in Workdir(tmp_path).history()] == [0]
    assert len(list((tmp_path / "checkpoints").glob("*.index"))) == 1


@pytest.mark.parametrize("loss", [math.nan, math.inf, -math.inf])
def test_losses_that_stop(loss):
    callback = StopOnNonFiniteLoss()
    callback.on_epoch_begin(4)
    callback.on_train_batch_end(1, {"loss": 1e30})
    with pytest.raises(TrainingDiverged, match="in epoch 5, step 3"):
        callback.on_train_batch_end(2, {"loss": loss})


def test_precision_is_restored_when_building_fails(tmp_path, monkeypatch):
    def build_model(self):
        policy = tf.keras.mixed_precision.global_policy().name
        raise RuntimeError(f"built in {policy}")

    monkeypatch.setattr(TrainConfig, "build_model", build_model)
    with pytest.raises(RuntimeError, match="built in mixed_float16"):
        run(small_config(precision="mixed_float16"), tmp_path)
    assert tf.keras.mixed_precision.global_policy().name == "float32"


def test_a_builder_that_fails_leaves_no_half_run(tmp_path):
    # settings that only the builder can refuse must not occupy the folder
    with pytest.raises(ValueError, match="pad_values"):
        run(small_config(pad_values=0.5), tmp_path / "run")
    assert not (tmp_path / "run" / "config.json").exists()


def test_a_folder_that_cannot_be_made(tmp_path, use_small_network):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(WorkdirError, match="Expected a workdir that can be written"):
        run(small_config(), tmp_path / "file" / "run")
    assert names(tmp_path) == ["file"]
