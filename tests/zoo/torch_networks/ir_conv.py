"""IR-Net's binary convolutions: Libra-PB weights, EDE in the backward pass."""

import torch
import torch.nn.functional as F
from torch import nn


class EDESign(torch.autograd.Function):
    """The sign, with the derivative of k tanh(t x); `torch.sign` maps 0 to 0."""

    @staticmethod
    def forward(context, x, t, k):
        context.save_for_backward(x, t, k)
        return torch.sign(x)

    @staticmethod
    def backward(context, gradient):
        x, t, k = context.saved_tensors
        return k * t * (1 - torch.tanh(t * x) ** 2) * gradient, None, None


T_MIN, T_MAX = 0.1, 10.0


class IRConv2d(nn.Conv2d):
    """A 3x3 convolution without bias, padded with zeros after binarization.

    t and k are plain tensors, not buffers: they are not in the state dict.
    `padding_value` may be set to 1, which the authors do not.
    """

    def __init__(self, channels, filters, stride=1):
        super().__init__(channels, filters, 3, stride=stride, bias=False)
        self.padding_value = 0.0
        self.t = torch.tensor(0.1)
        self.k = torch.tensor(10.0)

    def set_progress(self, progress):
        """EDE's constants for a share of the training."""
        t = torch.tensor(T_MIN * (T_MAX / T_MIN) ** progress, dtype=torch.float64)
        k = torch.clamp(1 / t, min=1.0)
        self.t, self.k = (x.to(self.weight.dtype) for x in (t, k))

    def forward(self, x):
        x = F.pad(self.binary_input(x), (1, 1, 1, 1), value=self.padding_value)
        return F.conv2d(x, self.binary_weight(), stride=self.stride)

    def binary_input(self, x):
        return EDESign.apply(x, self.t, self.k)

    def binary_weight(self):
        flat = self.weight.flatten(1)  # [O, I x kH x kW]
        centred = flat - flat.mean(1, keepdim=True)
        standardized = centred / centred.std(1, keepdim=True)  # n - 1
        mean_magnitude = standardized.abs().mean(1, keepdim=True)
        scale = (2.0 ** torch.round(torch.log2(mean_magnitude))).detach()
        signs = EDESign.apply(standardized, self.t, self.k)
        return (signs * scale).view_as(self.weight)


class IRWeightConv2d(IRConv2d):
    """The convolution of the W1A32 networks: only its weights are binary."""

    def binary_input(self, x):
        return x
