"""Where strided windows begin: TensorFlow's geometry and PyTorch's.

With symmetric padding, as PyTorch pads, the windows of a stride-2 convolution on an
even size begin one pixel earlier than with TensorFlow's "same". Rotating the image and
all kernels by 180 degrees maps one onto the other, so a network in the rotated frame
computes what the PyTorch network computes and keeps native "same" padding, which Larq
Compute Engine runs without explicit pad operators. What subsamples without a window
then takes the odd pixels of an even axis.
"""

import tensorflow as tf

__all__ = ["ALIGNMENTS", "Rotate180", "check_alignment", "first_subsampled_pixel"]

ALIGNMENTS = ("tensorflow", "torch")


def check_alignment(alignment: str) -> None:
    """Raises a `ValueError` unless `alignment` is one of `ALIGNMENTS`."""
    if alignment not in ALIGNMENTS:
        raise ValueError(
            f"Expected `alignment` to be 'tensorflow' or 'torch', got {alignment!r}."
        )


def first_subsampled_pixel(size: int, alignment: str) -> int:
    """The first pixel that stride 2 without a window takes along an axis of `size`."""
    return int(alignment == "torch" and size % 2 == 0)


@tf.keras.utils.register_keras_serializable(package="zoo")
class Rotate180(tf.keras.layers.Layer):
    """Rotates images by 180 degrees, into the frame of `alignment="torch"`.

    # Example
        >>> image = tf.reshape(tf.range(4.0), (1, 2, 2, 1))
        >>> Rotate180()(image).numpy().ravel().tolist()
        [3.0, 2.0, 1.0, 0.0]
    """

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        return tf.reverse(inputs, axis=[1, 2])  # [N, H, W, C]
