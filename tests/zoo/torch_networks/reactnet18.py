"""ReActNet's ResNet-18 for ImageNet, which ReCU trains in two stages."""

import torch
import torch.nn.functional as F
from torch import nn

from tests.zoo.torch_networks.recu_conv import ReCUConv2d
from tests.zoo.torch_networks.shortcuts import pooled_projection


class Shift(nn.Module):
    """Adds a learned number to each channel."""

    def __init__(self, channels):
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(1, channels, 1, 1))

    def forward(self, x):
        return x + self.bias


class Unit(nn.Module):
    """One binary convolution with its shortcut, and a PReLU between shifts."""

    def __init__(self, channels, filters):
        super().__init__()
        changes = channels != filters
        self.move0 = Shift(channels)
        self.conv = ReCUConv2d(channels, filters, 2 if changes else 1)
        self.bn = nn.BatchNorm2d(filters)
        shortcut = pooled_projection if changes else nn.Identity
        self.downsample = shortcut(channels, filters)
        self.move1 = Shift(filters)
        self.nonlinear = nn.PReLU(filters)
        self.move2 = Shift(filters)

    def forward(self, x):
        y = self.bn(self.conv(self.move0(x))) + self.downsample(x)
        return self.move2(self.nonlinear(self.move1(y)))


def units(channels, filters):
    return nn.Sequential(
        Unit(channels, filters), *(Unit(filters, filters) for _ in range(3))
    )


class ReActNet18(nn.Module):
    def __init__(self, *, num_classes=1000):
        super().__init__()
        self.conv = nn.Conv2d(3, 64, 7, stride=2, padding=3, bias=False)
        self.bn = nn.BatchNorm2d(64)
        self.layer1 = units(64, 64)
        self.layer2 = units(64, 128)
        self.layer3 = units(128, 256)
        self.layer4 = units(256, 512)
        self.fc = nn.Linear(512, num_classes)

    def forward(self, images):
        x = F.max_pool2d(self.bn(self.conv(images)), 3, stride=2, padding=1)
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.fc(x.mean((2, 3)))
