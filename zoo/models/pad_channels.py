"""Zeros for the channels that a parameter-free shortcut does not have."""

from typing import Any

import tensorflow as tf

__all__ = ["PadChannels"]


@tf.keras.utils.register_keras_serializable(package="zoo")
class PadChannels(tf.keras.layers.Layer):
    """Surrounds the channels with channels of zeros.

    # Arguments
        filters: Number of output channels; half of what is missing goes in front of
            the input's channels, the rest behind.

    # Raises
        ValueError: if the input already has more channels than `filters`.

    # Example
        >>> PadChannels(4)(tf.constant([[1.0, 2.0]])).numpy().tolist()
        [[0.0, 1.0, 2.0, 0.0]]

    # References
        - [Deep Residual Learning for Image
            Recognition](https://arxiv.org/abs/1512.03385), Sec. 4.2, option A
    """

    def __init__(self, filters: int, **kwargs: Any):
        super().__init__(**kwargs)
        self.filters = filters

    def build(self, input_shape: tf.TensorShape) -> None:
        if input_shape[-1] > self.filters:
            raise ValueError(
                f"Expected at most {self.filters} input channels, got "
                f"{input_shape[-1]}."
            )
        super().build(input_shape)

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        # [..., C] -> [..., filters]
        missing = self.filters - inputs.shape[-1]
        before = missing // 2
        others = [[0, 0]] * (inputs.shape.rank - 1)
        return tf.pad(inputs, [*others, [before, missing - before]])

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "filters": self.filters}
