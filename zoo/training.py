"""Trains what a `TrainConfig` describes: build, resume, fit, evaluate, save."""

import contextlib
import logging
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import larq as lq
import numpy as np
import tensorflow as tf

import larq_irnet as irnet
from larq_irnet.quantized_scope import quantized_scope
from zoo import datasets
from zoo.distribution import distributed, is_chief, make_strategy
from zoo.epoch_checkpoint import EpochCheckpoint
from zoo.learning_rate import learning_rate_for
from zoo.progress import TrainingProgress
from zoo.stop_on_non_finite_loss import StopOnNonFiniteLoss
from zoo.torch_sgd import TorchSGD
from zoo.train_config import TrainConfig
from zoo.workdir import Workdir, WorkdirError

__all__ = ["compile_for", "evaluate", "run"]

log = logging.getLogger(__name__)

_EVALUATION_BATCH_SIZE = 200
_CLASSES_FOR_TOP5 = 100


@contextlib.contextmanager
def _precision(policy: str) -> Iterator[None]:
    before = tf.keras.mixed_precision.global_policy()
    tf.keras.mixed_precision.set_global_policy(policy)
    try:
        yield
    finally:
        tf.keras.mixed_precision.set_global_policy(before)


def _optimizer(config: TrainConfig) -> tf.keras.optimizers.Optimizer:
    learning_rate = learning_rate_for(config)
    if config.optimizer == "adam":
        return tf.keras.optimizers.Adam(learning_rate)
    return TorchSGD(
        learning_rate,
        momentum=config.momentum,
        nesterov=config.nesterov,
        weight_decay=config.weight_decay,
    )


def _metrics(config: TrainConfig) -> list[Any]:
    if datasets.get(config.dataset).num_classes < _CLASSES_FOR_TOP5:
        return ["accuracy"]
    top5 = tf.keras.metrics.SparseTopKCategoricalAccuracy(5, name="top5_accuracy")
    return ["accuracy", top5]


def compile_for(model: tf.keras.Model, config: TrainConfig) -> None:
    """Compiles a model with the optimizer, loss and metrics of a configuration."""
    with _precision(config.precision):
        model.compile(
            _optimizer(config),
            loss=tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            metrics=_metrics(config),
            jit_compile=config.jit_compile,
        )


def _dataset(config: TrainConfig, data_dir: str | None) -> datasets.ImageDataset:
    return datasets.get(config.dataset, data_dir=data_dir, statistics=config.statistics)


def _is_scheduled(model: tf.keras.Model) -> bool:
    return bool(irnet.callbacks.scheduled_quantizers(model))


def _log_learning_rate(optimizer: Any) -> tf.keras.callbacks.Callback:
    """Adds the rate of an epoch's last step to the figures of the epoch."""

    def add(epoch: int, logs: dict[str, Any]) -> None:
        logs["lr"] = float(optimizer.learning_rate)

    return tf.keras.callbacks.LambdaCallback(on_epoch_end=add)


def _callbacks(
    config: TrainConfig, model: tf.keras.Model, folder: Workdir
) -> list[tf.keras.callbacks.Callback]:
    scheduler = irnet.callbacks.EstimatorScheduler(
        total_epochs=config.epochs, update_freq=config.estimator_update_freq
    )
    return [
        *([scheduler] if _is_scheduled(model) else []),
        StopOnNonFiniteLoss(),
        _log_learning_rate(model.optimizer),
        tf.keras.callbacks.LambdaCallback(on_epoch_end=folder.append_metrics),
        tf.keras.callbacks.TensorBoard(
            str(folder.tensorboard_path), write_graph=False, profile_batch=0
        ),
    ]


def _evaluation_batches(dataset: datasets.ImageDataset, split: str) -> tf.data.Dataset:
    options = tf.data.Options()
    options.experimental_distribute.auto_shard_policy = (
        tf.data.experimental.AutoShardPolicy.DATA
    )
    batches = dataset.evaluation_batches(split, batch_size=_EVALUATION_BATCH_SIZE)
    return batches.with_options(options)


def evaluate(
    model: tf.keras.Model,
    config: TrainConfig,
    split: str,
    *,
    data_dir: str | None = None,
) -> dict[str, float]:
    """Loss and top-1 accuracy on one split, top-5 too with 100 classes or more.

    # Arguments
        model: A model compiled by `compile_for`.
        config: Tells the dataset.
        split: "train", "validation" or "test".
        data_dir: Where tensorflow-datasets keeps its data; `None` for its default.
    """
    batches = _evaluation_batches(_dataset(config, data_dir), split)
    return model.evaluate(batches, return_dict=True, verbose=0)


def _resume(
    model: tf.keras.Model,
    checkpoint: EpochCheckpoint,
    folder: Workdir,
    *,
    keeps_history: bool,
) -> int:
    """Brings model and folder to the last checkpoint; returns its epoch."""
    first_epoch = checkpoint.restore()
    if first_epoch == 0:
        folder.write_initial_weights(model)
    if not keeps_history:
        return first_epoch
    folder.forget_epochs_from(first_epoch)
    if len(folder.history()) != first_epoch:
        raise WorkdirError(
            f"Expected {first_epoch} epochs in {folder.metrics_path}, got "
            f"{len(folder.history())}. Remove {folder.path} and train again."
        )
    return first_epoch


def _training_batches(
    config: TrainConfig,
    dataset: datasets.ImageDataset,
    strategy: tf.distribute.Strategy,
    first_epoch: int,
) -> tf.data.Dataset:
    def of_worker(index: int, count: int) -> tf.data.Dataset:
        return dataset.training_batches(
            batch_size=config.batch_size,
            steps=config.steps,
            seed=config.seed,
            epochs=range(first_epoch, config.epochs),
            shard=datasets.Shard(index, count),
        )

    return distributed(of_worker, strategy, config.batch_size)


def _versions() -> dict[str, str]:
    return {
        "larq-irnet": irnet.__version__,
        "tensorflow": tf.__version__,
        "larq": lq.__version__,
        "numpy": np.__version__,
    }


def _best_epoch(history: list[dict[str, float]]) -> dict[str, float]:
    """What papers report that choose their epoch by the images they report on."""
    if not history:  # a worker that resumed after the last epoch
        return {}
    best = max(history, key=lambda row: row["val_accuracy"])
    return {"epoch": int(best["epoch"]) + 1, "val_accuracy": best["val_accuracy"]}


@contextlib.contextmanager
def _folder_of_this_process(
    shared: Workdir, strategy: tf.distribute.Strategy
) -> Iterator[Workdir]:
    """The folder of the run for the chief, one to throw away for other workers."""
    if is_chief(strategy):
        yield shared
        return
    path = tempfile.mkdtemp(prefix="worker-")
    try:
        yield Workdir(path)
    finally:
        shutil.rmtree(path, ignore_errors=True)


def _fit(
    model: tf.keras.Model,
    config: TrainConfig,
    dataset: datasets.ImageDataset,
    folder: Workdir,
    checkpoint: EpochCheckpoint,
    strategy: tf.distribute.Strategy,
    progress: str,
) -> None:
    """Trains from the last checkpoint on."""
    is_shared = is_chief(strategy)
    with strategy.scope():
        first_epoch = _resume(model, checkpoint, folder, keeps_history=is_shared)
    if first_epoch:
        log.info("resuming after epoch %d of %d", first_epoch, config.epochs)
    shown = TrainingProgress(
        progress if is_shared else "none",
        first_epoch=first_epoch,
        epochs=config.epochs,
        steps=config.steps,
    )
    with contextlib.closing(shown):
        model.fit(
            _training_batches(config, dataset, strategy, first_epoch),
            epochs=config.epochs,
            initial_epoch=first_epoch,
            steps_per_epoch=config.steps,
            validation_data=_evaluation_batches(dataset, "validation"),
            callbacks=[*_callbacks(config, model, folder), shown, checkpoint],
            verbose=0,
        )


def run(
    config: TrainConfig,
    workdir: str | Path,
    *,
    data_dir: str | None = None,
    strategy: str = "none",
    progress: str = "bar",
) -> dict[str, Any]:
    """Trains a network and leaves model, metrics and results in a folder.

    Called again after an interruption it goes on from the last finished epoch; called
    again after the end it returns the results that are there. The model of the last
    epoch is kept: nothing is chosen by looking at the test split.

    # Arguments
        config: What to train and how.
        workdir: The folder of this run; see `zoo.workdir` for what lies in it. Workers
            of a distributed run share it.
        data_dir: Where tensorflow-datasets keeps its data; `None` for its default.
        strategy: One of `zoo.distribution.STRATEGIES`.
        progress: What to show: "bar", "epochs" or "none".

    # Returns
        The content of `results.json`: accuracies and losses of the last epoch on
        validation and test split, the epoch with the best validation accuracy,
        parameters, seconds and versions.

    # Raises
        WorkdirError: if `workdir` holds another run or cannot be written.
        TrainingDiverged: if the loss becomes NaN or infinite.
        ValueError: if the dataset is not prepared, or the strategy does not fit.
    """
    devices = make_strategy(strategy)
    with quantized_scope(False):  # also where somebody's exception has left it on
        return _run(config, Workdir(workdir), data_dir, devices, progress)


def _run(
    config: TrainConfig,
    shared: Workdir,
    data_dir: str | None,
    strategy: tf.distribute.Strategy,
    progress: str,
) -> dict[str, Any]:
    shared.check(config)
    if shared.is_complete:
        log.info("%s is complete", shared.path)
        shutil.rmtree(shared.checkpoints_path, ignore_errors=True)
        return shared.results()
    dataset = _dataset(config, data_dir)
    dataset.check_prepared()

    tf.keras.utils.set_random_seed(config.seed)
    with strategy.scope(), _precision(config.precision):
        model = config.build_model()
        compile_for(model, config)
    with _folder_of_this_process(shared, strategy) as folder:
        folder.create(config)
        with strategy.scope():
            checkpoint = EpochCheckpoint(
                str(shared.checkpoints_path), model, is_chief=folder is shared
            )
        start = time.perf_counter()
        _fit(model, config, dataset, folder, checkpoint, strategy, progress)
        results = {
            "validation": evaluate(model, config, "validation", data_dir=data_dir),
            "test": evaluate(model, config, "test", data_dir=data_dir),
            "best_epoch": _best_epoch(folder.history()),
            "epochs": config.epochs,
            "trainable_parameters": sum(
                w.shape.num_elements() for w in model.trainable_weights
            ),
            "replicas": strategy.num_replicas_in_sync,
            "seconds_of_last_session": time.perf_counter() - start,
            "versions": _versions(),
        }
        folder.write_model(model)
        folder.write_results(results)
    if folder is shared:
        shutil.rmtree(shared.checkpoints_path)
    return results
