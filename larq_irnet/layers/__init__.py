"""Larq's layers with one more argument, `quantizer`, and what goes around them."""

from larq_irnet.layers.channel_scale import ChannelScale
from larq_irnet.layers.grouped_conv import GroupedConv2D
from larq_irnet.layers.information_recovery import InformationRecovery
from larq_irnet.layers.learnable_bias import LearnableBias
from larq_irnet.layers.named_activation import NamedActivation
from larq_irnet.layers.quant_layers import (
    QuantConv1D,
    QuantConv2D,
    QuantConv2DTranspose,
    QuantDense,
    QuantDepthwiseConv2D,
)

__all__ = [
    "ChannelScale",
    "GroupedConv2D",
    "InformationRecovery",
    "LearnableBias",
    "NamedActivation",
    "QuantConv1D",
    "QuantConv2D",
    "QuantConv2DTranspose",
    "QuantDense",
    "QuantDepthwiseConv2D",
]
