"""The convolutions of a model that can become `LceBconv2d`."""

from collections.abc import Iterator
from dataclasses import dataclass

import larq as lq
import tensorflow as tf

from tflite_export.layer_walk import kernel_quantizers
from tflite_export.lint.operator_graph import OperatorGraph
from tflite_export.lint.sign_forms import Sign, find_sign

__all__ = [
    "BinaryConvolution",
    "PADS",
    "binary_convolutions",
    "quantized_convolutions",
]

PADS = ("Pad", "PadV2")


@dataclass(frozen=True)
class BinaryConvolution:
    """A convolution with a quantized kernel whose input is a sign.

    # Attributes
        operator: The convolution.
        layer: The layer that it belongs to, a `QuantConv2D`.
        sign: What it reads, in front of the padding.
        padding: The operator that pads the signs, if one does; the convolution pads
            with zeros by itself.
    """

    operator: tf.Operation
    layer: tf.keras.layers.Layer
    sign: Sign
    padding: tf.Operation | None

    @property
    def extent(self) -> tuple[int, ...]:
        """Height and width that the kernel reaches over."""
        sizes = zip(self.layer.kernel_size, self.layer.dilation_rate)
        return tuple((size - 1) * dilation + 1 for size, dilation in sizes)

    @property
    def pads_with_zeros(self) -> bool:
        """Whether the convolution itself pads, which is with zeros."""
        is_padded = self.layer.padding == "same" and self.extent != (1, 1)
        return is_padded and self.layer.pad_values == 0.0


def quantized_convolutions(
    graph: OperatorGraph,
) -> Iterator[tuple[tf.Operation, tf.keras.layers.Layer]]:
    """The 2D convolutions with a kernel quantizer, and their layers."""
    for operator, layer in graph.convolutions("Conv2D"):
        if isinstance(layer, lq.layers.QuantConv2D) and kernel_quantizers(layer):
            yield operator, layer


def binary_convolutions(graph: OperatorGraph) -> list[BinaryConvolution]:
    """Those of them whose input is a sign that the converter recognises."""
    found = []
    for operator, layer in quantized_convolutions(graph):
        tensor, padding = graph.inputs(operator)[0], None
        if tensor.op.type in PADS:
            padding = tensor.op
            tensor = graph.inputs(padding)[0]
        sign = find_sign(graph, tensor)
        if sign is not None:
            found.append(BinaryConvolution(operator, layer, sign, padding))
    return found
