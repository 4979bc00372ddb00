"""What stands in a shortcut where the shape changes."""

import torch.nn.functional as F
from torch import nn


class OptionA(nn.Module):
    """Every second pixel, a quarter of the new channels as zeros on either side."""

    def __init__(self, channels, filters):
        super().__init__()
        self.quarter = filters // 4

    def forward(self, x):
        return F.pad(self.halved(x), (0, 0, 0, 0, self.quarter, self.quarter))

    def halved(self, x):
        return x[:, :, ::2, ::2]


class PooledOptionA(OptionA):
    """The mean of 2x2 pixels in place of every second one."""

    def halved(self, x):
        return F.avg_pool2d(x, 2)


def projection(channels, filters):
    """A full-precision 1x1 convolution with stride 2 and its normalisation."""
    return nn.Sequential(
        nn.Conv2d(channels, filters, 1, stride=2, bias=False),
        nn.BatchNorm2d(filters),
    )


def pooled_projection(channels, filters):
    """The mean of 2x2 pixels, a full-precision 1x1 convolution, its normalisation."""
    return nn.Sequential(
        nn.AvgPool2d(2),
        nn.Conv2d(channels, filters, 1, bias=False),
        nn.BatchNorm2d(filters),
    )
