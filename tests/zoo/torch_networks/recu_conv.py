"""ReCU's binary convolution: rectified clamp, channel scale, normalised activations."""

import math

import torch
import torch.nn.functional as F
from torch import nn

EPSILON = 1e-5
DEVIATION = 2 * 2**0.5
TAU_MIN, TAU_MAX = 0.85, 0.99


class IdentitySign(torch.autograd.Function):
    """The sign, with the derivative of the identity."""

    @staticmethod
    def forward(context, x):
        return torch.sign(x)

    @staticmethod
    def backward(context, gradient):
        return gradient


class ApproxSign(torch.autograd.Function):
    """The sign, with the derivative 2 - 2 |x| where that is positive."""

    @staticmethod
    def forward(context, x):
        context.save_for_backward(x)
        return torch.sign(x)

    @staticmethod
    def backward(context, gradient):
        (x,) = context.saved_tensors
        return torch.relu(2 - 2 * x.abs()) * gradient


class ReCUConv2d(nn.Conv2d):
    """A 3x3 convolution without bias, its outputs scaled by learned numbers.

    tau is a buffer, a scalar until it is trained by the authors' code.
    """

    tau: torch.Tensor

    def __init__(self, channels, filters, stride=1):
        super().__init__(channels, filters, 3, stride=stride, padding=1, bias=False)
        self.alpha = nn.Parameter(torch.rand(filters, 1, 1))
        self.register_buffer("tau", torch.tensor(1.0))

    def set_progress(self, progress):
        slope = (TAU_MAX - TAU_MIN) / (math.e - 1)
        self.tau.fill_(slope * math.exp(progress) + TAU_MIN - slope)

    def forward(self, x):
        if self.training:  # the deviation of each sample, around its mean
            x = x / (x.var((1, 2, 3), keepdim=True) + EPSILON).sqrt()
        x = F.conv2d(
            ApproxSign.apply(x), self.binary_weight(), stride=self.stride, padding=1
        )
        return x * self.alpha

    def binary_weight(self):
        over = (1, 2, 3)
        centred = self.weight - self.weight.mean(over, keepdim=True)
        variance = centred.var(over, keepdim=True)  # n - 1
        scaled = centred * DEVIATION / (variance + EPSILON).sqrt()
        mean_magnitude = scaled.abs().mean()  # of the whole layer
        quantile = (-mean_magnitude * torch.log(2 - 2 * self.tau)).item()
        return IdentitySign.apply(scaled.clamp(-quantile, quantile))
