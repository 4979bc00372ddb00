"""Statistics of half-precision tensors: computed in float32, cast back safely."""

import tensorflow as tf

__all__ = ["cast_within_range", "widened"]

_HALF = (tf.float16, tf.bfloat16)


def widened(x: tf.Tensor) -> tf.Tensor:
    """The same tensor, in float32 where it is float16 or bfloat16."""
    return tf.cast(x, tf.float32) if x.dtype in _HALF else x


def cast_within_range(x: tf.Tensor, dtype: tf.DType) -> tf.Tensor:
    """Casts to `dtype`; what would overflow is cut off, NaN stays NaN."""
    if x.dtype == dtype:
        return x
    limit = tf.cast(dtype.max, x.dtype)  # tf.saturate_cast loses NaN in TensorFlow 2.16
    return tf.cast(tf.where(tf.abs(x) > limit, tf.sign(x) * limit, x), dtype)
