"""A learned scale for each output channel of a binary convolution."""

from typing import Any

import tensorflow as tf

from larq_irnet.layers.per_channel import PerChannelLayer

__all__ = ["ChannelScale"]


@tf.keras.utils.register_keras_serializable(package="larq_irnet")
class ChannelScale(PerChannelLayer):
    r"""Multiplies each channel by a learned number, \\(y_c = \alpha_c x_c\\).

    Directly behind a binary convolution it costs nothing on a device: Larq Compute
    Engine folds it into the convolution. Nothing keeps the scales positive.

    # Arguments
        initializer: Of the scales; `None` for uniform in [0, 1), as in ReCU.
        regularizer: Of the scales.
        constraint: Of the scales.

    # Input shape
        [..., C], channels last.

    # Output shape
        The same.

    # Raises
        ValueError: when it is built, if the number of channels is not known.

    # Example
        >>> layer = ChannelScale(initializer=tf.keras.initializers.Constant(0.5))
        >>> layer(tf.constant([[2.0, 3.0]])).numpy().tolist()
        [[1.0, 1.5]]

    # References
        - [ReCU: Reviving the Dead Weights in Binary Neural
            Networks](https://arxiv.org/abs/2103.12369), the authors' code
    """

    def default_initializer(self) -> tf.keras.initializers.Initializer:
        return tf.keras.initializers.RandomUniform(0.0, 1.0)

    def build(self, input_shape: Any) -> None:
        self.alpha = self.add_channel_weight("alpha", input_shape)
        super().build(input_shape)

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        return inputs * self.alpha
