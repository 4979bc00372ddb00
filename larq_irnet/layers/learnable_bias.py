"""A learned shift for each channel: in front of a sign, and around a PReLU."""

from typing import Any

import tensorflow as tf

from larq_irnet.layers.per_channel import PerChannelLayer

__all__ = ["LearnableBias"]


@tf.keras.utils.register_keras_serializable(package="larq_irnet")
class LearnableBias(PerChannelLayer):
    r"""Adds a learned number to each channel, \\(y_c = x_c + \beta_c\\).

    In front of a binary convolution it moves the threshold of the sign (RSign); on both
    sides of a `tf.keras.layers.PReLU` it makes the shifted non-linearity (RPReLU) of
    ReActNet.

    # Arguments
        initializer: Of the shifts; `None` for zeros.
        regularizer: Of the shifts.
        constraint: Of the shifts.

    # Input shape
        [..., C], channels last.

    # Output shape
        The same.

    # Raises
        ValueError: when it is built, if the number of channels is not known.

    # Example
        >>> layer = LearnableBias(initializer="ones")
        >>> layer(tf.constant([[2.0, 3.0]])).numpy().tolist()
        [[3.0, 4.0]]

    # References
        - [ReActNet: Towards Precise Binary Neural Network with Generalized Activation
            Functions](https://arxiv.org/abs/2003.03488), Eqs. 1 and 2
    """

    def default_initializer(self) -> tf.keras.initializers.Initializer:
        return tf.keras.initializers.Zeros()

    def build(self, input_shape: Any) -> None:
        self.bias = self.add_channel_weight("bias", input_shape)
        super().build(input_shape)

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        return inputs + self.bias
