"""ResNet-18 for CIFAR-10: IR-Net's of 2019 and 2020, ReCU's and IR2Net's (2022)."""

import torch.nn.functional as F
from torch import nn

from tests.zoo.torch_networks.blocks import stage
from tests.zoo.torch_networks.cirec import CIRec, pooled
from tests.zoo.torch_networks.ir_conv import IRConv2d
from tests.zoo.torch_networks.shortcuts import projection


class CifarResNet18(nn.Module):
    """Logits: the LogSoftmax of 2020 changes neither loss nor arg-max.

    ReCU's network differs from that of 2020 in convolutions and shortcuts alone.
    """

    def __init__(
        self,
        *,
        conv=IRConv2d,
        shortcut=projection,
        release=2020,
        recovery=False,
        channels=3,
        num_classes=10,
    ):
        super().__init__()
        kind = {
            "shortcut_name": "shortcut",
            "make_shortcut": shortcut,
            "block": "normal",
            "conv": conv,
            "act": F.hardtanh,
        }
        self.conv1 = nn.Conv2d(channels, 64, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.layer1 = stage(64, 64, 2, **kind)
        self.layer2 = stage(64, 128, 2, **kind)
        self.layer3 = stage(128, 256, 2, **kind)
        self.layer4 = stage(256, 512, 2, **kind)
        self.fusion = CIRec(1024, 512, 20) if recovery else None
        if release != 2019:
            self.bn2 = nn.BatchNorm1d(512)
        self.linear = nn.Linear(512, num_classes)
        self.release = release

    def forward(self, images):
        x = self.bn1(self.conv1(images))
        if self.release != 2020:
            x = F.hardtanh(x)
        taps = [x]
        for layer in (self.layer1, self.layer2, self.layer3, self.layer4):
            x = layer(x)
            taps.append(x)
        self.restricting = x
        if self.fusion is not None:
            x = self.fusion(pooled(taps))
        x = x.mean((2, 3))
        return self.linear(self.bn2(x) if self.release != 2019 else x)
