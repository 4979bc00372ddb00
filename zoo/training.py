"""Trains what a `TrainConfig` describes: build, resume, fit, evaluate, save."""

import contextlib
import functools
import logging
import shutil
import time
from pathlib import Path
from typing import Any

import tensorflow as tf

import larq_irnet as irnet
from larq_irnet.quantized_scope import quantized_scope
from larq_irnet.training_wrapper import TrainingWrapper
from zoo import datasets
from zoo.compilation import compile_for, compiled_for_training, precision_of
from zoo.diagnostics import DiagnosticsMonitor
from zoo.distribution import (
    check_batch_size,
    check_same_epoch,
    distributed,
    make_strategy,
    noticing_lost_workers,
)
from zoo.epoch_checkpoint import EpochCheckpoint
from zoo.epoch_summaries import EpochSummaries
from zoo.evaluation import dataset_of, evaluate, evaluation_batches
from zoo.pretrained import load_initial_weights
from zoo.progress import TrainingProgress
from zoo.run_summary import arithmetic, best_epoch, versions
from zoo.session import Session, folder_of_this_process
from zoo.stop_on_non_finite_loss import StopOnNonFiniteLoss
from zoo.train_config import TrainConfig
from zoo.workdir import Workdir, WorkdirError

__all__ = ["compile_for", "evaluate", "run"]

_MASKED_IMAGES = 6
_LOOKED_AT = 64  # images, where the settings of diagnostics name no other number
_ALWAYS_MEASURED = ("dead_share", "stuck_share")

log = logging.getLogger(__name__)


def _compiled_model(session: Session) -> tf.keras.Model:
    tf.keras.utils.set_random_seed(session.config.seed)
    with session.strategy.scope(), precision_of(session.config):
        network = session.config.build_model()
        if session.config.initial_weights and not session.shared.has_checkpoint:
            load_initial_weights(network, session.config)
        model = compiled_for_training(network, session.config)
        # now: a `decayed_weights` that matches nothing is reported
        model.optimizer.build(model.trainable_variables)
    return model


def _resume(
    model: tf.keras.Model, checkpoint: EpochCheckpoint, session: Session
) -> int:
    """Brings model and folder to the last checkpoint; returns its epoch."""
    folder = session.folder
    with session.strategy.scope():
        first_epoch = checkpoint.restore()
    check_same_epoch(first_epoch, session.strategy)
    if first_epoch == 0:
        folder.write_initial_weights(model)
        folder.write_arithmetic(arithmetic())
    else:
        log.info("resuming after epoch %d of %d", first_epoch, session.config.epochs)
        _warn_of_other_arithmetic(folder)
    if not session.is_chief:
        return first_epoch
    folder.forget_epochs_from(first_epoch)
    missing = first_epoch - len(folder.history())
    if missing:
        log.warning("%d epochs are missing in %s", missing, folder.metrics_path)
    return first_epoch


def _warn_of_other_arithmetic(folder: Workdir) -> None:
    now = arithmetic()
    try:
        before = folder.arithmetic()
    except WorkdirError as error:
        log.warning("%s", error)
        return
    if before and before != now:
        log.warning(
            "%s has begun with %s and goes on with %s: it will not end as a run in one "
            "piece does, to the last bit",
            folder.path,
            before,
            now,
        )


def _training_batches(session: Session, first_epoch: int) -> tf.data.Dataset:
    config = session.config

    def of_worker(index: int, count: int) -> tf.data.Dataset:
        return session.dataset.training_batches(
            batch_size=config.batch_size,
            steps=config.steps,
            seed=config.seed,
            epochs=range(first_epoch, config.epochs),
            shard=datasets.Shard(index, count),
        )

    return distributed(of_worker, session.strategy, config.batch_size)


def _log_learning_rate(optimizer: Any) -> tf.keras.callbacks.Callback:
    """Adds the rate of an epoch's last step to the figures of the epoch."""

    def add(epoch: int, logs: dict[str, Any]) -> None:
        logs["lr"] = float(tf.convert_to_tensor(optimizer.learning_rate))

    return tf.keras.callbacks.LambdaCallback(on_epoch_end=add)


def _mask_monitor(session: Session) -> tf.keras.callbacks.Callback:
    """Keeps the masks of the first validation images."""
    images = session.dataset.arrays("validation", _MASKED_IMAGES).images
    return irnet.callbacks.RestrictionMonitor(
        images,
        on_snapshot=functools.partial(session.folder.append_masks, images),
    )


def _callbacks(
    model: tf.keras.Model, session: Session
) -> list[tf.keras.callbacks.Callback]:
    config, folder = session.config, session.folder
    scheduler = irnet.callbacks.EstimatorScheduler(
        total_epochs=config.epochs, update_freq=config.estimator_update_freq
    )
    is_scheduled = bool(irnet.callbacks.scheduled_quantizers(model))
    monitor = irnet.callbacks.BinarizationMonitor(
        metrics=_ALWAYS_MEASURED, on_histogram=folder.append_histogram
    )
    is_binary = bool(irnet.diagnostics.binary_kernels(model))
    is_restricted = isinstance(model, irnet.restriction.RestrictedTraining)
    return [
        *([scheduler] if is_scheduled else []),
        StopOnNonFiniteLoss(),
        *([monitor] if is_binary else []),
        *([_mask_monitor(session)] if is_restricted else []),
        _log_learning_rate(model.optimizer),
        tf.keras.callbacks.LambdaCallback(on_epoch_end=folder.append_metrics),
    ]


def _diagnostics(session: Session) -> list[DiagnosticsMonitor]:
    """Figures of the binary layers on validation images, if they are asked for."""
    settings = dict(session.config.diagnostics)
    if not settings:
        return []
    images = settings.pop("images", _LOOKED_AT)
    monitor = DiagnosticsMonitor(
        session.dataset.arrays("validation", images),
        log_dir=session.folder.tensorboard_path / "binarization",
        csv_path=session.folder.diagnostics_path,
        settings=settings,
    )
    return [monitor]


def _fit(
    model: tf.keras.Model,
    checkpoint: EpochCheckpoint,
    session: Session,
    first_epoch: int,
) -> None:
    config = session.config
    progress = TrainingProgress(
        session.progress if session.is_chief else "none",
        first_epoch=first_epoch,
        epochs=config.epochs,
        steps=config.steps,
    )
    summaries = EpochSummaries(session.folder.tensorboard_path)
    diagnostics = _diagnostics(session)
    with contextlib.ExitStack() as stack:
        stack.enter_context(contextlib.closing(progress))
        stack.enter_context(contextlib.closing(summaries))
        for monitor in diagnostics:
            stack.enter_context(contextlib.closing(monitor))
        model.fit(
            _training_batches(session, first_epoch),
            epochs=config.epochs,
            initial_epoch=first_epoch,
            steps_per_epoch=config.steps,
            validation_data=evaluation_batches(session.dataset, "validation"),
            callbacks=[
                *_callbacks(model, session),
                summaries,
                progress,
                *diagnostics,
                checkpoint,
            ],
            verbose=0,
        )


def _network_of(model: tf.keras.Model, session: Session) -> tf.keras.Model:
    """The network alone, compiled: its loss compares with labels."""
    if not isinstance(model, TrainingWrapper):
        return model
    with session.strategy.scope():
        compile_for(model.network, session.config)
    return model.network


def _results(model: tf.keras.Model, session: Session) -> dict[str, Any]:
    config = session.config
    network = _network_of(model, session)
    splits = ("validation", *(("test",) if config.evaluate_test else ()))
    return {
        **{
            split: evaluate(network, config, split, data_dir=session.data_dir)
            for split in splits
        },
        "best_epoch": best_epoch(session.folder.history()),
        "epochs": config.epochs,
        "trainable_parameters": sum(
            weight.shape.num_elements() for weight in network.trainable_weights
        ),
        "replicas": session.strategy.num_replicas_in_sync,
        "versions": versions(),
        "arithmetic": arithmetic(),
    }


def _train(session: Session) -> dict[str, Any]:
    start = time.perf_counter()
    model = _compiled_model(session)
    with session.folder.held():
        session.folder.create(session.config)
        with session.strategy.scope():
            checkpoint = EpochCheckpoint(
                str(session.shared.checkpoints_path), model, is_chief=session.is_chief
            )
        first_epoch = _resume(model, checkpoint, session)
        _fit(model, checkpoint, session, first_epoch)
        results = _results(model, session)
        results["seconds_of_last_session"] = time.perf_counter() - start
        session.folder.write_model(model)
        session.folder.write_results(results)
        if session.is_chief:
            shutil.rmtree(session.shared.checkpoints_path)
    return results


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
        validation and test split (on validation alone where `evaluate_test` is off),
        the epoch with the best validation accuracy, parameters, seconds, versions, and
        what the last bits depend on.

    # Raises
        WorkdirError: if `workdir` holds another run, cannot be written, or another
            process trains in it.
        TrainingDiverged: if the loss becomes NaN or infinite.
        WorkerLost: if another worker of a distributed run has stopped.
        ValueError: if the dataset is not prepared, the strategy does not fit, or the
            weights to start from or of the teacher are missing or of another network.
    """
    shared = Workdir(workdir)
    shared.check(config)
    if shared.is_complete:
        log.info("%s is complete", shared.path)
        shutil.rmtree(shared.checkpoints_path, ignore_errors=True)
        return shared.results()
    dataset_of(config, data_dir).check_prepared()
    devices = make_strategy(strategy)
    check_batch_size(config.batch_size, devices)
    with (
        quantized_scope(False),  # also where somebody's exception has left it on
        noticing_lost_workers(devices),
        folder_of_this_process(shared, devices) as folder,
    ):
        return _train(
            Session(
                config=config,
                data_dir=data_dir,
                strategy=devices,
                shared=shared,
                folder=folder,
                progress=progress,
            )
        )
