"""Larq's layers with one more argument: `quantizer`, the name of a method."""

from larq_irnet.layers.quant_layers import (
    QuantConv1D,
    QuantConv2D,
    QuantConv2DTranspose,
    QuantDense,
    QuantDepthwiseConv2D,
)

__all__ = [
    "QuantConv1D",
    "QuantConv2D",
    "QuantConv2DTranspose",
    "QuantDense",
    "QuantDepthwiseConv2D",
]
