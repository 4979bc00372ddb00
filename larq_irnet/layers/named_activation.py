"""An activation layer that can be loaded from every format it was saved in."""

from typing import Any

import tensorflow as tf

__all__ = ["NamedActivation"]


@tf.keras.utils.register_keras_serializable(package="larq_irnet")
class NamedActivation(tf.keras.layers.Activation):
    """`tf.keras.layers.Activation`, saved by the name of its function.

    Keras 2 saves an activation that is not its own, such as Larq's `hard_tanh`, in a
    form that cannot be loaded from an HDF5 file.

    # Arguments
        activation: Name of a registered activation, or a function of its name.

    # Example
        >>> NamedActivation("hard_tanh").get_config()["activation"]
        'hard_tanh'
    """

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "activation": self.activation.__name__}
