"""What the papers chose where networks of the same name differ.

The builders take these choices unless told otherwise.
"""

from collections.abc import Callable

import tensorflow as tf

import larq_irnet as irnet
from zoo.models.torch_initializers import default_kernel, kaiming_normal

__all__ = [
    "MakeInitializer",
    "classifier_initializer",
    "conv_initializer",
    "default_block",
    "default_recovery",
    "default_release",
    "default_shortcut",
    "has_default_classifier",
]

_RECU = "recu"
_IR2NET = "ir2net"

MakeInitializer = Callable[[], tf.keras.initializers.Initializer]


def default_block(method: irnet.methods.Method) -> str:
    """One shortcut for two convolutions where only weights are binary, else two."""
    return "normal" if method.is_weight_only else "bi_real"


def default_shortcut(method: irnet.methods.Method) -> str:
    """How CIFAR networks halve the image in a shortcut."""
    return "average_pool" if method.name == _RECU else "strided"


def default_release(method: irnet.methods.Method) -> int:
    """Which of the authors' CIFAR ResNet-18 it is: IR2Net's, or IR-Net's of 2020."""
    return 2022 if method.name == _IR2NET else 2020


def default_recovery(method: irnet.methods.Method, preset: str) -> str:
    """The preset of information recovery with IR2Net, none with other methods."""
    return preset if method.name == _IR2NET else "none"


def conv_initializer(
    method: irnet.methods.Method, of_irnet: MakeInitializer
) -> MakeInitializer:
    """What makes the initial weights of convolutions in residual networks.

    # Arguments
        method: The method of the network.
        of_irnet: What IR-Net chose, and every method that has no network of its own.
    """
    if method.name in (_RECU, _IR2NET):
        return lambda: kaiming_normal("fan_in")
    return of_irnet


def classifier_initializer(
    method: irnet.methods.Method, of_irnet: MakeInitializer
) -> tf.keras.initializers.Initializer:
    """The initial weights of the classifier in residual networks for small images.

    # Arguments
        method: The method of the network.
        of_irnet: What IR-Net chose, and every method that has no network of its own.
    """
    if method.name == _IR2NET:
        return kaiming_normal("fan_in")
    return default_kernel() if has_default_classifier(method) else of_irnet()


def has_default_classifier(method: irnet.methods.Method) -> bool:
    """Whether the classifier starts from PyTorch's default weights, as in ReCU."""
    return method.name == _RECU
