"""Residual blocks of two binary convolutions, and the stages made of them."""

import torch.nn.functional as F
from torch import nn

from tests.zoo.torch_networks.binary_conv import IRConv2d


class OptionA(nn.Module):
    """Every second pixel, a quarter of the new channels as zeros on either side."""

    def __init__(self, filters):
        super().__init__()
        self.quarter = filters // 4

    def forward(self, x):
        return F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, self.quarter, self.quarter))


def projection(channels, filters):
    """A full-precision 1x1 convolution with stride 2 and its normalisation."""
    return nn.Sequential(
        nn.Conv2d(channels, filters, 1, stride=2, bias=False),
        nn.BatchNorm2d(filters),
    )


class Block(nn.Module):
    """Two binary convolutions with one shortcut ("normal") or two ("bi_real").

    `shortcut` is where the shape changes a pair of the name and the module.
    """

    def __init__(self, channels, filters, stride, *, shortcut, block, is_weight_only):
        super().__init__()
        kind = {"is_weight_only": is_weight_only}
        self.conv1 = IRConv2d(channels, filters, stride, **kind)
        self.bn1 = nn.BatchNorm2d(filters)
        self.conv2 = IRConv2d(filters, filters, **kind)
        self.bn2 = nn.BatchNorm2d(filters)
        self.shortcut_name, module = shortcut
        setattr(self, self.shortcut_name, module)
        self.act = F.relu if is_weight_only else F.hardtanh
        self.is_bi_real = block == "bi_real"

    def forward(self, x):
        kept = getattr(self, self.shortcut_name)(x)
        y = self.bn1(self.conv1(x))
        if self.is_bi_real:
            y = self.act(y + kept)
            return self.act(self.bn2(self.conv2(y)) + y)
        return self.act(self.bn2(self.conv2(self.act(y))) + kept)


def stage(channels, filters, blocks, *, shortcut_name, make_shortcut, **kind):
    """Blocks of one width; the first one changes the shape if the width changes."""
    changes = channels != filters
    first, same = make_shortcut(channels, filters) if changes else None, nn.Identity
    return nn.Sequential(
        Block(
            channels,
            filters,
            2 if changes else 1,
            shortcut=(shortcut_name, first or same()),
            **kind,
        ),
        *(
            Block(filters, filters, 1, shortcut=(shortcut_name, same()), **kind)
            for _ in range(blocks - 1)
        ),
    )
