"""Whether a layer computes what the class it derives from is known to compute.

What is known of `QuantDense` says nothing about a class of a user that derives from it
and divides its outputs by eight: `isinstance` would take the one for the other, and a
rewrite would lose the division.
"""

import tensorflow as tf

__all__ = ["is_a"]

_KNOWN = ("keras", "larq", "larq_irnet", "tensorflow", "tf_keras", "tflite_export")
_HARMLESS = {  # what a derived class may have of its own
    "__annotations__",
    "__doc__",
    "__init__",
    "__module__",
    "__qualname__",
    "from_config",
    "get_config",
}
_Kinds = type[tf.keras.layers.Layer] | tuple[type[tf.keras.layers.Layer], ...]


def is_a(layer: tf.keras.layers.Layer, kinds: _Kinds) -> bool:
    """Like `isinstance`, but not for derived classes that may compute something else.

    Those of Keras, Larq and this package are known. Of others, those that do no more
    than set arguments are taken for what they derive from.

    # Example
        >>> is_a(tf.keras.layers.Dense(2), tf.keras.layers.Dense)
        True
    """
    if not isinstance(layer, kinds):
        return False
    for one in type(layer).__mro__:
        if one.__module__.split(".")[0] in _KNOWN:
            return True
        if not {*vars(one)} <= _HARMLESS:
            return False
    return False
