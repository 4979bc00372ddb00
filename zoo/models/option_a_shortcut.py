"""The parameter-free shortcut of CIFAR ResNets where the shape changes."""

from typing import Any

import tensorflow as tf

from zoo.models.subsample import Subsample

__all__ = ["OptionAShortcut"]


@tf.keras.utils.register_keras_serializable(package="zoo")
class OptionAShortcut(Subsample):
    """Takes every second pixel and surrounds the channels with zeros.

    # Arguments
        filters: Number of output channels; half of what is missing goes in front of
            the input's channels, the rest behind.
        first_row: First row that is taken, 0 or 1.
        first_column: First column that is taken, 0 or 1.

    # Raises
        ValueError: if the input already has more channels than `filters`.

    # Example
        >>> OptionAShortcut(4)(tf.reshape(tf.range(8.0), (1, 2, 2, 2))).numpy().tolist()
        [[[[0.0, 0.0, 1.0, 0.0]]]]

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
        # [N, H, W, C] -> [N, ceil(H / 2), ceil(W / 2), filters]
        missing = self.filters - inputs.shape[-1]
        before = missing // 2
        paddings = [[0, 0], [0, 0], [0, 0], [before, missing - before]]
        return tf.pad(super().call(inputs), paddings)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "filters": self.filters}
