"""How a model is compiled for a run: precision, optimizer, loss and metrics."""

import contextlib
from collections.abc import Iterator
from typing import Any

import tensorflow as tf

import larq_irnet as irnet
from larq_irnet.training_wrapper import TrainingWrapper
from zoo import datasets
from zoo.learning_rate import learning_rate_for
from zoo.restriction import with_restriction
from zoo.teacher import with_teacher
from zoo.torch_adam import TorchAdam
from zoo.torch_sgd import TorchSGD
from zoo.train_config import TrainConfig

__all__ = ["compile_for", "compiled_for_training", "precision_of"]

_CLASSES_FOR_TOP5 = 100


@contextlib.contextmanager
def precision_of(config: TrainConfig) -> Iterator[None]:
    """Layers made inside compute in the precision of a configuration."""
    before = tf.keras.mixed_precision.global_policy()
    tf.keras.mixed_precision.set_global_policy(config.precision)
    try:
        yield
    finally:
        tf.keras.mixed_precision.set_global_policy(before)


def _optimizer(config: TrainConfig) -> tf.keras.optimizers.Optimizer:
    learning_rate = learning_rate_for(config)
    if config.optimizer == "adam":
        return tf.keras.optimizers.Adam(learning_rate)
    if config.optimizer == "torch_adam":
        return TorchAdam(
            learning_rate,
            weight_decay=config.weight_decay,
            decayed_weights=config.decayed_weights,
        )
    return TorchSGD(
        learning_rate,
        momentum=config.momentum,
        nesterov=config.nesterov,
        weight_decay=config.weight_decay,
        decayed_weights=config.decayed_weights,
    )


def _metrics(config: TrainConfig) -> list[Any]:
    if datasets.get(config.dataset).num_classes < _CLASSES_FOR_TOP5:
        return ["accuracy"]
    top5 = tf.keras.metrics.SparseTopKCategoricalAccuracy(5, name="top5_accuracy")
    return ["accuracy", top5]


def _learns_logits(model: tf.keras.Model) -> bool:
    if isinstance(model, irnet.distillation.Distiller):
        return bool(model.learns_logits)
    return isinstance(model, TrainingWrapper) and _learns_logits(model.wrapped)


def _loss(model: tf.keras.Model) -> tf.keras.losses.Loss:
    if _learns_logits(model):
        return irnet.distillation.LogitMatching()
    return tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)


def compile_for(model: tf.keras.Model, config: TrainConfig) -> None:
    """Compiles a model with the optimizer, loss and metrics of a configuration.

    Without labels, the loss of a `larq_irnet.distillation.Distiller` compares with the
    logits of its teacher.
    """
    with precision_of(config):
        model.compile(
            _optimizer(config),
            loss=_loss(model),
            metrics=_metrics(config),
            jit_compile=config.jit_compile,
        )


def compiled_for_training(
    network: tf.keras.Model, config: TrainConfig
) -> tf.keras.Model:
    """The network with the teacher and the restriction of its run, compiled."""
    model = with_restriction(with_teacher(network, config), config)
    compile_for(model, config)
    return model
