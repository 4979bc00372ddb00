"""Trains what a `TrainConfig` describes: build, resume, fit, evaluate, save."""

import contextlib
import logging
import math
import shutil
import time
from collections.abc import Iterator
from typing import Any

import larq as lq
import numpy as np
import tensorflow as tf

import larq_irnet as irnet
from larq_irnet.quantized_scope import quantized_scope
from zoo import datasets
from zoo.train_config import TrainConfig
from zoo.workdir import Workdir, WorkdirError

__all__ = [
    "EpochCheckpoint",
    "StopOnNonFiniteLoss",
    "TrainingDiverged",
    "compile_for",
    "evaluate",
    "run",
]

log = logging.getLogger(__name__)

_EVALUATION_BATCH_SIZE = 200


class TrainingDiverged(RuntimeError):
    """The loss became NaN or infinite."""


class StopOnNonFiniteLoss(tf.keras.callbacks.Callback):
    """Stops the training at the first step whose loss is NaN or infinite.

    # Raises
        TrainingDiverged: from within `fit`; checkpoints of earlier epochs stay.
    """

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self._epoch = epoch

    def on_train_batch_end(
        self, batch: int, logs: dict[str, Any] | None = None
    ) -> None:
        loss = (logs or {}).get("loss", 0.0)
        if not math.isfinite(loss):
            raise TrainingDiverged(
                f"The loss became {loss} in epoch {self._epoch + 1}, step {batch + 1}. "
                "Train with a lower learning rate, in a new workdir."
            )

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        loss = (logs or {}).get("val_loss", 0.0)
        if not math.isfinite(loss):
            raise TrainingDiverged(
                f"The validation loss became {loss} after epoch {epoch + 1}. "
                "Train with a lower learning rate, in a new workdir."
            )


class EpochCheckpoint(tf.keras.callbacks.Callback):
    """Saves model, optimizer and the number of finished epochs after each epoch.

    # Arguments
        directory: Where the checkpoints lie.
        model: The compiled model.
    """

    def __init__(self, directory: str, model: tf.keras.Model):
        super().__init__()
        self._epochs_done = tf.Variable(0, dtype=tf.int64, name="epochs_done")
        optimizer = model.optimizer
        optimizer.build(model.trainable_variables)
        self._checkpoint = tf.train.Checkpoint(
            model=model, optimizer=optimizer, epochs_done=self._epochs_done
        )
        self._manager = tf.train.CheckpointManager(
            self._checkpoint, directory, max_to_keep=2
        )

    def restore(self) -> int:
        """Loads the newest checkpoint that can be read, if there is one.

        # Returns
            The number of finished epochs.

        # Raises
            WorkdirError: if there are checkpoints, all of them damaged.
        """
        for path in reversed(self._manager.checkpoints):  # newest first
            try:
                with quantized_scope(False):
                    self._checkpoint.restore(path)
                return int(self._epochs_done)
            except (tf.errors.OpError, ValueError, IndexError) as error:
                log.warning("cannot read checkpoint %s: %s", path, error)
        if self._manager.checkpoints:
            raise WorkdirError(
                f"Expected a checkpoint that can be read in {self._manager.directory}, "
                "found only damaged ones. Remove the workdir and train again."
            )
        return 0

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self._epochs_done.assign(epoch + 1)
        with quantized_scope(False):  # latent weights, whatever surrounds us
            self._manager.save()


@contextlib.contextmanager
def _precision(policy: str) -> Iterator[None]:
    before = tf.keras.mixed_precision.global_policy()
    tf.keras.mixed_precision.set_global_policy(policy)
    try:
        yield
    finally:
        tf.keras.mixed_precision.set_global_policy(before)


def _optimizer(config: TrainConfig) -> tf.keras.optimizers.Optimizer:
    if config.optimizer == "adam":
        return tf.keras.optimizers.Adam(config.learning_rate)
    return tf.keras.optimizers.SGD(config.learning_rate, momentum=config.momentum)


def compile_for(model: tf.keras.Model, config: TrainConfig) -> None:
    """Compiles a model with the optimizer, loss and metric of a configuration."""
    with _precision(config.precision):
        model.compile(
            _optimizer(config),
            loss=tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            metrics=["accuracy"],
            jit_compile=config.jit_compile,
        )


def _learning_rate(epoch: int, config: TrainConfig) -> float:
    if config.learning_rate_schedule == "constant":
        return config.learning_rate
    return config.learning_rate * (1 + math.cos(math.pi * epoch / config.epochs)) / 2


def _callbacks(config: TrainConfig, workdir: Workdir) -> list[Any]:
    method = irnet.methods.get(config.method)
    quantizers = method.make_input_quantizer(), method.make_kernel_quantizer()
    is_scheduled = any(
        isinstance(q, irnet.quantizers.ScheduledQuantizer) for q in quantizers
    )
    scheduler = irnet.callbacks.EstimatorScheduler(
        total_epochs=config.epochs, update_freq=config.estimator_update_freq
    )
    return [
        *([scheduler] if is_scheduled else []),
        tf.keras.callbacks.LearningRateScheduler(
            lambda epoch: _learning_rate(epoch, config)
        ),
        StopOnNonFiniteLoss(),
        tf.keras.callbacks.LambdaCallback(on_epoch_end=workdir.append_metrics),
        tf.keras.callbacks.TensorBoard(
            str(workdir.tensorboard_path), write_graph=False, profile_batch=0
        ),
    ]


def evaluate(
    model: tf.keras.Model, config: TrainConfig, split: str
) -> dict[str, float]:
    """Loss and top-1 accuracy on one split.

    # Arguments
        model: A model compiled by `compile_for`.
        config: Tells the dataset.
        split: "train", "validation" or "test".
    """
    batches = datasets.get(config.dataset).evaluation_batches(
        split, batch_size=_EVALUATION_BATCH_SIZE
    )
    return model.evaluate(batches, return_dict=True, verbose=0)


def _fit(
    model: tf.keras.Model, config: TrainConfig, workdir: Workdir, verbose: int | str
) -> float:
    """Trains from the last checkpoint on; returns the seconds it took."""
    checkpoint = EpochCheckpoint(str(workdir.checkpoints_path), model)
    first_epoch = checkpoint.restore()
    if first_epoch == 0:
        workdir.write_initial_weights(model)
    else:
        log.info("resuming after epoch %d of %d", first_epoch, config.epochs)
    workdir.forget_epochs_from(first_epoch)
    if len(workdir.history()) != first_epoch:
        raise WorkdirError(
            f"Expected {first_epoch} epochs in {workdir.metrics_path}, got "
            f"{len(workdir.history())}. Remove {workdir.path} and train again."
        )

    dataset = datasets.get(config.dataset)
    start = time.perf_counter()
    model.fit(
        dataset.training_batches(
            batch_size=config.batch_size,
            steps=config.steps,
            seed=config.seed,
            epochs=range(first_epoch, config.epochs),
        ),
        epochs=config.epochs,
        initial_epoch=first_epoch,
        steps_per_epoch=config.steps,
        validation_data=dataset.evaluation_batches(
            "validation", batch_size=_EVALUATION_BATCH_SIZE
        ),
        callbacks=[*_callbacks(config, workdir), checkpoint],
        verbose=verbose,
    )
    return time.perf_counter() - start


def _versions() -> dict[str, str]:
    return {
        "larq-irnet": irnet.__version__,
        "tensorflow": tf.__version__,
        "larq": lq.__version__,
        "numpy": np.__version__,
    }


def run(
    config: TrainConfig, workdir: str, *, verbose: int | str = "auto"
) -> dict[str, Any]:
    """Trains a network and leaves model, metrics and results in a folder.

    Called again after an interruption it goes on from the last finished epoch; called
    again after the end it returns the results that are there. The model of the last
    epoch is kept: nothing is chosen by looking at the test split.

    # Arguments
        config: What to train and how.
        workdir: The folder of this run; see `zoo.workdir` for what lies in it.
        verbose: As for `tf.keras.Model.fit`.

    # Returns
        The content of `results.json`: accuracies and losses of the last epoch on
        validation and test split, parameters, seconds and versions.

    # Raises
        WorkdirError: if `workdir` holds another run or cannot be written.
        TrainingDiverged: if the loss becomes NaN or infinite.
    """
    with quantized_scope(False):  # also where somebody's exception has left it on
        return _run(config, Workdir(workdir), verbose)


def _run(config: TrainConfig, folder: Workdir, verbose: int | str) -> dict[str, Any]:
    folder.check(config)
    if folder.is_complete:
        log.info("%s is complete", folder.path)
        shutil.rmtree(folder.checkpoints_path, ignore_errors=True)
        return folder.results()

    tf.keras.utils.set_random_seed(config.seed)
    with _precision(config.precision):
        model = config.build_model()
    compile_for(model, config)
    folder.create(config)
    seconds = _fit(model, config, folder, verbose)
    results = {
        "validation": evaluate(model, config, "validation"),
        "test": evaluate(model, config, "test"),
        "epochs": config.epochs,
        "trainable_parameters": sum(
            w.shape.num_elements() for w in model.trainable_weights
        ),
        "seconds_of_last_session": seconds,
        "versions": _versions(),
    }
    folder.write_model(model)
    folder.write_results(results)
    shutil.rmtree(folder.checkpoints_path)
    return results
