"""Layers that scale and shift each channel by numbers of its own."""

import tensorflow as tf

from larq_irnet.layers import ChannelScale, LearnableBias
from tflite_export.layer_kind import is_a

__all__ = ["acts_on_channels"]


def acts_on_channels(layer: tf.keras.layers.Layer, axes: int = 4) -> bool:
    """Whether a layer has numbers for each channel, the last axis, and nothing else.

    # Arguments
        layer: A layer of a model, or one of the same configuration.
        axes: Of its inputs.

    # Example
        >>> acts_on_channels(tf.keras.layers.PReLU())
        False
    """
    if is_a(layer, tf.keras.layers.BatchNormalization):
        return bool(layer.axis == [axes - 1])
    return is_a(layer, (ChannelScale, LearnableBias))
