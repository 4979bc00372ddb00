"""VGG-Small for CIFAR-10."""

import torch.nn.functional as F
from torch import nn

from tests.zoo.torch_networks.cirec import CIRec, pooled
from tests.zoo.torch_networks.ir_conv import IRConv2d

WIDTHS = (128, 128, 256, 256, 512, 512)
POOLED = (1, 3, 5)


class VGGSmall(nn.Module):
    """Convolution, 2x2 max pool (after every second), normalisation, hard tanh.

    A binary convolution gives scaled integers, so several pixels of a window may be
    the largest; the gradient goes to the first of them.
    """

    def __init__(
        self, *, conv=IRConv2d, recovery=False, size=32, channels=3, num_classes=10
    ):
        super().__init__()
        self.conv0 = nn.Conv2d(channels, WIDTHS[0], 3, padding=1, bias=False)
        for index in range(1, 6):
            binary = conv(WIDTHS[index - 1], WIDTHS[index])
            self.add_module(f"conv{index}", binary)
        for index, filters in enumerate(WIDTHS):
            self.add_module(f"bn{index}", nn.BatchNorm2d(filters))
        self.fusion = CIRec(640, 512, 32) if recovery else None
        self.fc = nn.Linear(WIDTHS[-1] * (size // 8) ** 2, num_classes)

    def forward(self, images):
        x = stem = images
        for index in range(6):
            x = getattr(self, f"conv{index}")(x)
            if index in POOLED:
                x = F.max_pool2d(x, 2)
            x = F.hardtanh(getattr(self, f"bn{index}")(x))
            stem = x if index == 0 else stem
        self.restricting = x
        if self.fusion is not None:
            x = self.fusion(pooled([stem, x]))
        return self.fc(x.flatten(1))  # columns in the order of c, h, w
