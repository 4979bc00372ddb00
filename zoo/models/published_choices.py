"""What the papers chose where networks of the same name differ.

The builders take these choices unless told otherwise.
"""

from collections.abc import Callable

import tensorflow as tf

import larq_irnet as irnet
from zoo.models.torch_initializers import kaiming_normal

__all__ = [
    "MakeInitializer",
    "conv_initializer",
    "default_block",
    "default_shortcut",
    "has_default_classifier",
]

_RECU = "recu"

MakeInitializer = Callable[[], tf.keras.initializers.Initializer]


def default_block(method: irnet.methods.Method) -> str:
    """One shortcut for two convolutions where only weights are binary, else two."""
    return "normal" if method.is_weight_only else "bi_real"


def default_shortcut(method: irnet.methods.Method) -> str:
    """How CIFAR networks halve the image in a shortcut."""
    return "average_pool" if method.name == _RECU else "strided"


def conv_initializer(
    method: irnet.methods.Method, of_irnet: MakeInitializer
) -> MakeInitializer:
    """What makes the initial weights of convolutions in residual networks.

    # Arguments
        method: The method of the network.
        of_irnet: What IR-Net chose, and every method that has no network of its own.
    """
    if method.name == _RECU:
        return lambda: kaiming_normal("fan_in")
    return of_irnet


def has_default_classifier(method: irnet.methods.Method) -> bool:
    """Whether the classifier starts from PyTorch's default weights, as in ReCU."""
    return method.name == _RECU
