"""IR2Net's binary convolutions: plain signs of weights, nothing else."""

import torch
import torch.nn.functional as F
from torch import nn

from tests.zoo.torch_networks.recu_conv import ApproxSign


class WindowSign(torch.autograd.Function):
    """The sign, with the derivative of the identity within [-1, 1]."""

    @staticmethod
    def forward(context, x):
        context.save_for_backward(x)
        return torch.sign(x)

    @staticmethod
    def backward(context, gradient):
        (x,) = context.saved_tensors
        return torch.where(x.abs() <= 1, gradient, 0)


class IR2Conv2d(nn.Conv2d):
    """A 3x3 convolution without bias, padded with zeros after binarization."""

    def __init__(self, channels, filters, stride=1):
        super().__init__(channels, filters, 3, stride=stride, padding=1, bias=False)

    def forward(self, x):
        weight = WindowSign.apply(self.weight)
        return F.conv2d(ApproxSign.apply(x), weight, stride=self.stride, padding=1)


class FlatIR2Conv2d(nn.Module):
    """The same, with its weights in one column of rows (filter, channel, y, x)."""

    def __init__(self, channels, filters, stride=1):
        super().__init__()
        self.shape = (filters, channels, 3, 3)
        self.stride = stride
        self.weights = nn.Parameter(torch.rand(filters * channels * 9, 1) * 0.001)

    def forward(self, x):
        weight = WindowSign.apply(self.weights.view(self.shape))
        return F.conv2d(ApproxSign.apply(x), weight, stride=self.stride, padding=1)
