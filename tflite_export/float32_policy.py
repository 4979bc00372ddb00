"""Layers that an export makes compute in float32, whatever the caller trains in."""

import contextlib
from collections.abc import Iterator

import tensorflow as tf

__all__ = ["float32_policy"]


@contextlib.contextmanager
def float32_policy() -> Iterator[None]:
    """New layers and quantizers compute in float32 inside; also a decorator.

    # Example
        >>> tf.keras.mixed_precision.set_global_policy("mixed_bfloat16")
        >>> with float32_policy():
        ...     tf.keras.layers.Dense(2).compute_dtype
        'float32'
        >>> tf.keras.mixed_precision.global_policy().name
        'mixed_bfloat16'
        >>> tf.keras.mixed_precision.set_global_policy("float32")
    """
    before = tf.keras.mixed_precision.global_policy()
    tf.keras.mixed_precision.set_global_policy("float32")
    try:
        yield
    finally:
        tf.keras.mixed_precision.set_global_policy(before)
