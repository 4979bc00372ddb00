"""Subsampling without a window, from a first pixel of one's choice."""

from typing import Any

import tensorflow as tf

__all__ = ["Subsample"]


@tf.keras.utils.register_keras_serializable(package="zoo")
class Subsample(tf.keras.layers.Layer):
    """Takes every second pixel in both directions.

    In front of a 1x1 convolution it makes a strided one that begins at any pixel.

    # Arguments
        first_row: First row that is taken, 0 or 1.
        first_column: First column that is taken, 0 or 1.

    # Example
        >>> image = tf.reshape(tf.range(4.0), (1, 2, 2, 1))
        >>> Subsample(first_row=1, first_column=1)(image).numpy().ravel().tolist()
        [3.0]
    """

    def __init__(self, *, first_row: int = 0, first_column: int = 0, **kwargs: Any):
        super().__init__(**kwargs)
        self.first_row = first_row
        self.first_column = first_column

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        # [N, H, W, C] -> [N, ceil(H / 2), ceil(W / 2), C]
        return inputs[:, self.first_row :: 2, self.first_column :: 2]

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "first_row": self.first_row,
            "first_column": self.first_column,
        }
