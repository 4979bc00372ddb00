"""The information restriction of a run, if its configuration asks for it."""

import tensorflow as tf

import larq_irnet as irnet
from zoo.models import Rotate180
from zoo.torch_entries import has_rotated_images
from zoo.train_config import TrainConfig

__all__ = ["with_restriction"]


def with_restriction(model: tf.keras.Model, config: TrainConfig) -> tf.keras.Model:
    """What is trained: the model itself, or with a second pass of restricted images.

    # Arguments
        model: The network, or a `larq_irnet.distillation.Distiller` around it.
        config: Tells the layer whose features restrict, and how.

    # Returns
        `model`, or a `larq_irnet.restriction.RestrictedTraining` around it.

    # Raises
        ValueError: as `larq_irnet.restriction.RestrictedTraining`.
    """
    if not config.restriction:
        return model
    network = model.network if config.teacher else model
    return irnet.restriction.RestrictedTraining(
        model,
        **config.restriction,
        orient=Rotate180() if has_rotated_images(network) else None,
    )
