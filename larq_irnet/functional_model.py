"""Whether the layers of a model and what connects them are known."""

from typing import Any

import tensorflow as tf

__all__ = ["is_functional"]

_CALLS = {vars(one).get("call") for one in tf.keras.Sequential.__mro__}


def is_functional(model: Any) -> bool:
    """Whether something is a built functional or sequential Keras model.

    One of a class of its own is as well, unless the class has its own `call`: then the
    layers do not tell what is computed.

    # Example
        >>> is_functional(tf.keras.Sequential([tf.keras.Input((2,))]))
        True
        >>> is_functional(tf.keras.Sequential([tf.keras.layers.Dense(2)]))  # not built
        False
    """
    outputs = (isinstance(model, tf.keras.Model) and model.outputs) or []
    return (
        bool(outputs)
        and type(model).call in _CALLS
        and all(map(tf.keras.backend.is_keras_tensor, outputs))
    )
