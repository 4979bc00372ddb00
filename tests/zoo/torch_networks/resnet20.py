"""ResNet-20 for CIFAR-10: the W1A1 networks, and the W1A32 one."""

import torch.nn.functional as F
from torch import nn

from tests.zoo.torch_networks.blocks import stage
from tests.zoo.torch_networks.ir_conv import IRConv2d, IRWeightConv2d
from tests.zoo.torch_networks.shortcuts import OptionA


class ResNet20(nn.Module):
    def __init__(
        self,
        *,
        conv=IRConv2d,
        shortcut=OptionA,
        block="bi_real",
        channels=3,
        num_classes=10,
    ):
        super().__init__()
        self.is_weight_only = conv is IRWeightConv2d
        kind = {
            "shortcut_name": "shortcut",
            "make_shortcut": shortcut,
            "block": block,
            "conv": conv,
            "act": F.relu if self.is_weight_only else F.hardtanh,
        }
        self.conv1 = nn.Conv2d(channels, 16, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        self.layer1 = stage(16, 16, 3, **kind)
        self.layer2 = stage(16, 32, 3, **kind)
        self.layer3 = stage(32, 64, 3, **kind)
        self.bn2 = nn.BatchNorm1d(64)
        self.linear = nn.Linear(64, num_classes)

    def forward(self, images):
        x = self.bn1(self.conv1(images))
        if not self.is_weight_only:
            x = F.hardtanh(x)
        x = self.layer3(self.layer2(self.layer1(x)))
        x = self.bn2(x.mean((2, 3)))
        return self.linear(F.relu(x) if self.is_weight_only else x)
