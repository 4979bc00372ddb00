"""Layers that Keras makes of TensorFlow's functions in a functional model."""

import tensorflow as tf

__all__ = ["function_of"]


def function_of(layer: tf.keras.layers.Layer) -> str:
    """The function of TensorFlow that a layer calls, or nothing for other layers.

    # Example
        >>> function_of(tf.reduce_max(tf.keras.Input((2,)), 1)._keras_history.layer)
        'math.reduce_max'
        >>> function_of(tf.keras.layers.Dense(2))
        ''
    """
    if type(layer).__name__ not in ("SlicingOpLambda", "TFOpLambda"):
        return ""
    return str(layer.get_config()["function"])
