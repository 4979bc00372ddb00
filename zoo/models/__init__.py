"""Published binary networks, built for any method: one network per file."""

from collections.abc import Callable

import tensorflow as tf

from zoo.models.alignment import ALIGNMENTS, Rotate180
from zoo.models.cifar_resnet18 import CifarResNet18
from zoo.models.darts import DARTS
from zoo.models.efficientnet_b0 import EfficientNetB0
from zoo.models.imagenet_resnet import ResNet18, ResNet34
from zoo.models.ir2net18 import IR2Net18
from zoo.models.mobilenet_v1 import MobileNetV1
from zoo.models.pad_channels import PadChannels
from zoo.models.reactnet18 import ReActNet18
from zoo.models.resnet20 import ResNet20
from zoo.models.subsample import Subsample
from zoo.models.vgg_small import VGGSmall

__all__ = [
    "ALIGNMENTS",
    "CifarResNet18",
    "DARTS",
    "EfficientNetB0",
    "IR2Net18",
    "MobileNetV1",
    "PadChannels",
    "ReActNet18",
    "ResNet18",
    "ResNet20",
    "ResNet34",
    "Rotate180",
    "Subsample",
    "VGGSmall",
    "get",
    "names",
]

_BUILDERS = {
    builder.__name__: builder
    for builder in (
        CifarResNet18,
        DARTS,
        EfficientNetB0,
        IR2Net18,
        MobileNetV1,
        ReActNet18,
        ResNet18,
        ResNet20,
        ResNet34,
        VGGSmall,
    )
}


def names() -> list[str]:
    """The names of all networks, sorted."""
    return sorted(_BUILDERS)


def get(name: str) -> Callable[..., tf.keras.Model]:
    """Looks the builder of a network up.

    # Raises
        ValueError: if there is no such network.

    # Example
        >>> get("ResNet20") is ResNet20
        True
    """
    if name not in _BUILDERS:
        raise ValueError(f"Expected a network out of {names()}, got {name!r}.")
    return _BUILDERS[name]
