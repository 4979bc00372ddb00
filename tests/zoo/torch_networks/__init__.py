"""The papers' networks in plain PyTorch, written from papers and key names.

They share nothing with the package: what they compute, and the names and shapes of
their state dicts, is what the import is held against.
"""

from tests.zoo.torch_networks.attention import (
    attention,
    attention_erase,
    restricted_loss,
)
from tests.zoo.torch_networks.cifar_resnet18 import CifarResNet18
from tests.zoo.torch_networks.cirec import CIRec
from tests.zoo.torch_networks.darts import DARTS
from tests.zoo.torch_networks.imagenet_resnet import ImageNetResNet
from tests.zoo.torch_networks.ir2_conv import FlatIR2Conv2d, IR2Conv2d
from tests.zoo.torch_networks.ir2net18 import IR2Net18
from tests.zoo.torch_networks.ir_conv import IRConv2d, IRWeightConv2d
from tests.zoo.torch_networks.lively import make_lively
from tests.zoo.torch_networks.reactnet18 import ReActNet18
from tests.zoo.torch_networks.recu_conv import ReCUConv2d
from tests.zoo.torch_networks.resnet20 import ResNet20
from tests.zoo.torch_networks.schedule import set_schedule
from tests.zoo.torch_networks.shortcuts import PooledOptionA
from tests.zoo.torch_networks.torchvision_resnet import TorchvisionResNet
from tests.zoo.torch_networks.vgg_small import VGGSmall

__all__ = [
    "CIRec",
    "CifarResNet18",
    "DARTS",
    "FlatIR2Conv2d",
    "IR2Conv2d",
    "IR2Net18",
    "IRConv2d",
    "IRWeightConv2d",
    "ImageNetResNet",
    "PooledOptionA",
    "ReActNet18",
    "ReCUConv2d",
    "ResNet20",
    "TorchvisionResNet",
    "VGGSmall",
    "attention",
    "attention_erase",
    "make_lively",
    "restricted_loss",
    "set_schedule",
]
