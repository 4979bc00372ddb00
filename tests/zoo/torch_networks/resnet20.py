"""ResNet-20 for CIFAR-10: W1A1, with IR2Net's fusion or without, and W1A32."""

import torch.nn.functional as F
from torch import nn

from tests.zoo.torch_networks.blocks import stage
from tests.zoo.torch_networks.cirec import CIRec, pooled
from tests.zoo.torch_networks.ir_conv import IRConv2d, IRWeightConv2d
from tests.zoo.torch_networks.shortcuts import OptionA


class ResNet20(nn.Module):
    """`restricting` holds the features that restrict the input, of the last call."""

    def __init__(
        self,
        *,
        conv=IRConv2d,
        shortcut=OptionA,
        block="bi_real",
        recovery=False,
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
        self.fusion = CIRec(128, 64, 4) if recovery else None
        self.bn2 = nn.BatchNorm1d(64)
        self.linear = nn.Linear(64, num_classes)

    def forward(self, images):
        x = self.bn1(self.conv1(images))
        if not self.is_weight_only:
            x = F.hardtanh(x)
        taps = [x]
        for layer in (self.layer1, self.layer2, self.layer3):
            x = layer(x)
            taps.append(x)
        self.restricting = x
        if self.fusion is not None:
            x = self.fusion(pooled(taps))
        x = self.bn2(x.mean((2, 3)))
        return self.linear(F.relu(x) if self.is_weight_only else x)
