"""IR-Net's networks in plain PyTorch, written from the paper and its released keys.

They share nothing with the package: what they compute, and the names and shapes of
their state dicts, is what the import is held against.
"""

from tests.zoo.torch_networks.binary_conv import IRConv2d, set_steepness
from tests.zoo.torch_networks.cifar_resnet18 import CifarResNet18
from tests.zoo.torch_networks.imagenet_resnet import ImageNetResNet
from tests.zoo.torch_networks.lively import make_lively
from tests.zoo.torch_networks.resnet20 import ResNet20
from tests.zoo.torch_networks.vgg_small import VGGSmall

__all__ = [
    "CifarResNet18",
    "IRConv2d",
    "ImageNetResNet",
    "ResNet20",
    "VGGSmall",
    "make_lively",
    "set_steepness",
]
