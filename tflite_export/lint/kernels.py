"""Rules about quantized kernels: which are binary for the converter.

A binary kernel is a constant whose magnitude is the same all over each output channel.
"""

from collections.abc import Iterator, Sequence

import numpy as np
import tensorflow as tf

from larq_irnet.quantized_scope import quantized_scope
from tflite_export.findings import Finding
from tflite_export.layer_walk import input_quantizer
from tflite_export.lint.binary_convolutions import (
    BinaryConvolution,
    quantized_convolutions,
)
from tflite_export.lint.constant_folding import explain_folding
from tflite_export.lint.operator_graph import OperatorGraph

__all__ = ["explain_kernel", "kernels_are_binary", "quantized_kernel"]

_MAGNITUDE_TOLERANCE = 0.005  # the converter's own
_ROUNDING = 1e-4  # of magnitudes; LCE computes with a single one
_SMALLEST_SCALE = np.finfo(np.float32).eps  # the converter's own


def kernels_are_binary(
    graph: OperatorGraph, convolutions: Sequence[BinaryConvolution]
) -> Iterator[Finding]:
    """Kernels that stay float, because of their values or of how they are computed."""
    binary = {one.operator.name for one in convolutions}
    for operator, layer in quantized_convolutions(graph):
        if operator.name not in binary and input_quantizer(layer) is None:
            continue
        unfolded = explain_folding(graph, operator.inputs[1])
        if unfolded is not None:
            yield Finding(
                "error",
                layer.name,
                unfolded,
                "write the kernel quantizer as larq.math.sign(w), times one scale per "
                "output channel; a kernel of more than 128 MiB has to have no scale.",
            )
            continue
        reason = explain_kernel(quantized_kernel(layer))
        if reason is not None:
            yield Finding(
                "error",
                layer.name,
                reason,
                "use a kernel quantizer that gives sign times one scale per output "
                'channel, such as "libra_pb" or "ste_sign".',
            )


def quantized_kernel(layer: tf.keras.layers.Layer) -> np.ndarray:
    """The kernel of a layer as its quantizer makes it, [H, W, C_in, C_out]."""
    with quantized_scope(True):
        return tf.convert_to_tensor(layer.kernel).numpy()


def explain_kernel(kernel: np.ndarray) -> str | None:
    """Why a quantized kernel is not binary for the converter; `None` if it is.

    # Arguments
        kernel: The quantized kernel, [..., C_out].

    # Example
        >>> explain_kernel(np.array([[1.0, -0.5], [-1.0, -0.5]]))
        >>> explain_kernel(np.array([[1.0, -0.5], [-1.0, 0.0]]))
        'the quantized kernel holds zeros, as a ternary one does.'
    """
    if not np.isfinite(kernel).all():
        return "the quantized kernel holds NaN or Inf."
    magnitude = np.abs(kernel.reshape(-1, kernel.shape[-1]))  # [n, C_out]
    if (magnitude == 0.0).any():
        return "the quantized kernel holds zeros, as a ternary one does."
    scale = magnitude[0]
    if (scale <= _SMALLEST_SCALE).any():
        return f"the scale of a filter is {scale.min():g}, too small for LCE."
    deviation = np.abs(magnitude / scale - 1.0).max()
    if deviation > _MAGNITUDE_TOLERANCE:
        return "the quantized kernel has more than one magnitude within a filter."
    if deviation > _ROUNDING:
        return (
            f"the magnitudes within a filter differ by {deviation:.2%}, which LCE "
            "rounds to one."
        )
    return None
