"""Layers that scale and shift each channel by numbers of its own."""

import tensorflow as tf

from larq_irnet.layers import ChannelScale, LearnableBias

__all__ = ["acts_on_channels"]


def acts_on_channels(layer: tf.keras.layers.Layer) -> bool:
    """Whether a layer has numbers for each channel, the last axis, and nothing else.

    # Example
        >>> acts_on_channels(tf.keras.layers.PReLU())
        False
    """
    if isinstance(layer, tf.keras.layers.BatchNormalization):
        last = len(layer.get_input_shape_at(0)) - 1
        return [*layer.axis] == [last]
    return isinstance(layer, (ChannelScale, LearnableBias))
