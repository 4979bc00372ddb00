"""IR2Net's information recovery: features of all depths, fused."""

import math

import torch
import torch.nn.functional as F
from torch import nn


def hard_tanh(channels):
    return nn.Hardtanh()


class CIRec(nn.Module):
    """A 1x1 convolution for some channels, a grouped 3x3 one for the others."""

    def __init__(self, channels, filters, ratio, *, groups=None, act=hard_tanh):
        super().__init__()
        primary = math.ceil(filters / ratio)
        cheap = primary * (ratio - 1)
        self.filters = filters
        self.primary_conv = nn.Sequential(
            nn.Conv2d(channels, primary, 1, bias=False),
            nn.BatchNorm2d(primary),
            act(primary),
        )
        self.cheap_operation = nn.Sequential(
            nn.Conv2d(
                primary, cheap, 3, padding=1, groups=groups or primary, bias=False
            ),
            nn.BatchNorm2d(cheap),
            act(cheap),
        )

    def forward(self, x):
        primary = self.primary_conv(x)
        cheap = self.cheap_operation(primary)
        return torch.cat([primary, cheap], 1)[:, : self.filters]


def pooled(taps):
    """Features from shallow to deep at the size of the last."""
    size = taps[-1].shape[2:]
    return torch.cat([F.adaptive_avg_pool2d(tap, size) for tap in taps], 1)
