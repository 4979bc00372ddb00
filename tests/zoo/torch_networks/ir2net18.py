"""IR2Net's ResNet-18 for ImageNet, with the fusions A, B, C and D."""

import torch.nn.functional as F
from torch import nn

from tests.zoo.torch_networks.cirec import CIRec, pooled
from tests.zoo.torch_networks.ir2_conv import FlatIR2Conv2d
from tests.zoo.torch_networks.shortcuts import pooled_projection

RATIOS = {"B": (2, None), "C": (4, 8), "D": (20, None)}


class Unit(nn.Module):
    """One binary convolution with its shortcut, and a PReLU."""

    def __init__(self, channels, filters):
        super().__init__()
        changes = channels != filters
        self.binary_conv = FlatIR2Conv2d(channels, filters, 2 if changes else 1)
        self.bn1 = nn.BatchNorm2d(filters)
        shortcut = pooled_projection if changes else nn.Identity
        self.downsample = shortcut(channels, filters)
        self.prelu = nn.PReLU(filters)

    def forward(self, x):
        return self.prelu(self.bn1(self.binary_conv(x)) + self.downsample(x))


def units(channels, filters):
    return nn.Sequential(
        Unit(channels, filters), *(Unit(filters, filters) for _ in range(3))
    )


class IR2Net18(nn.Module):
    """`restricting` holds the features that restrict the input, of the last call."""

    def __init__(self, *, variant="A", num_classes=1000):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.prelu = nn.PReLU(64)
        self.layer1 = units(64, 64)
        self.layer2 = units(64, 128)
        self.layer3 = units(128, 256)
        self.layer4 = units(256, 512)
        self.fusion: nn.Module
        if variant == "A":
            self.fusion = nn.Conv2d(1024, 512, 1, bias=False)
            self.fbn = nn.BatchNorm2d(512)
            self.fprelu = nn.PReLU(512)
        else:
            ratio, groups = RATIOS[variant]
            self.fusion = CIRec(1024, 512, ratio, groups=groups, act=nn.PReLU)
        self.bn2 = nn.BatchNorm1d(512)
        self.fc = nn.Linear(512, num_classes)
        self.variant = variant

    def forward(self, images):
        x = self.prelu(self.bn1(self.conv1(images)))
        taps = [x]
        x = F.max_pool2d(x, 3, stride=2, padding=1)
        for stage in (self.layer1, self.layer2, self.layer3, self.layer4):
            x = stage(x)
            taps.append(x)
        self.restricting = x
        x = self.fusion(pooled(taps))
        if self.variant == "A":
            x = self.fprelu(self.fbn(x))
        return self.fc(self.bn2(x.mean((2, 3))))
