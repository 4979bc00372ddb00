"""Rules about what becomes of the signs that binary convolutions read."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import tensorflow as tf

from tflite_export.findings import Finding
from tflite_export.layer_walk import input_quantizer
from tflite_export.lint.binary_convolutions import (
    BinaryConvolution,
    quantized_convolutions,
)
from tflite_export.lint.operator_graph import OperatorGraph
from tflite_export.lint.sign_forms import find_sign

__all__ = ["comparisons_are_absorbed", "inputs_are_signs", "signs_are_computed_right"]

_USE_SIGN = (
    'use a quantizer whose forward pass is larq.math.sign, such as "ede_sign" or '
    '"ste_sign", and keep scales out of it.'
)
_BETWEEN = {
    "AvgPool": "an average pool",
    "MaxPool": "a max pool",
    "Pad": "padding with zeros",
    "PadV2": "padding",
    "Reshape": "a reshape",
}


def signs_are_computed_right(
    graph: OperatorGraph, convolutions: Sequence[BinaryConvolution]
) -> Iterator[Finding]:
    """Signs that are none, and that the converter takes for some."""
    for operator in graph.operators:
        if operator.type != "Sign":
            continue
        sign = find_sign(graph, operator.outputs[0])
        if sign is not None and sign.wrong_because:
            layer = graph.layer_of(operator)
            name = operator.name if layer is None else layer.name
            reason = (
                f"the input quantizer is wrong when converted: {sign.wrong_because}"
            )
            yield Finding("error", name, reason, _USE_SIGN)


def inputs_are_signs(
    graph: OperatorGraph, convolutions: Sequence[BinaryConvolution]
) -> Iterator[Finding]:
    """Convolutions with a quantized kernel whose inputs are not binary for LCE."""
    binary = {one.operator.name for one in convolutions}
    for operator, layer in quantized_convolutions(graph):
        if operator.name in binary:
            continue
        quantizer = input_quantizer(layer)
        tensor = graph.inputs(operator)[0]
        if quantizer is not None:
            reason = _explain(quantizer, tensor.shape[-1])
            yield Finding("error", layer.name, reason, _USE_SIGN)
        elif (between := _between_sign_and(graph, tensor)) is not None:
            yield Finding(
                "error",
                layer.name,
                f"{between} stands between the sign and it; the layer would stay "
                "float.",
                "take the sign directly in front of the convolution.",
            )
        else:
            yield Finding(
                "note",
                layer.name,
                "it quantizes only its weights; LCE runs it as float.",
                "binarize the input as well if it is to be small and fast.",
            )


def _between_sign_and(graph: OperatorGraph, tensor: tf.Tensor) -> str | None:
    """What comes behind the sign in front of a tensor; `None` if there is no sign."""
    between = None
    while tensor.op.type in _BETWEEN:
        between = _BETWEEN[tensor.op.type]
        tensor = graph.inputs(tensor.op)[0]
    return None if find_sign(graph, tensor) is None else between


def comparisons_are_absorbed(
    graph: OperatorGraph, convolutions: Sequence[BinaryConvolution]
) -> Iterator[Finding]:
    """Selects whose comparison stays an operator in front of the sign."""
    for convolution in convolutions:
        if convolution.sign.comparison:
            yield Finding(
                "slower",
                convolution.layer.name,
                f"its input quantizer selects by a {convolution.sign.comparison} that "
                "LCE computes as an operator of its own, on floats.",
                "write it as larq.math.sign(x), or as tf.where(x >= 0.0, 1.0, -1.0).",
            )


def _explain(quantizer: Callable, channels: int) -> str:
    probe = np.linspace(-2.0, 2.0, 401, dtype=np.float32)  # 0 is among them
    x = np.broadcast_to(probe[None, :, None, None], (1, probe.size, 1, channels))
    outputs = tf.convert_to_tensor(quantizer(tf.constant(x))).numpy()
    values = np.unique(outputs)
    if set(values) == {-1.0, 1.0}:
        return (
            "the input quantizer computes -1 and +1 by operators that LCE does not "
            "recognise; the layer would stay float."
        )
    if set(values) == {-1.0, 0.0, 1.0}:
        if np.abs(x)[outputs == 0.0].max() == 0.0:
            return "the input quantizer gives 0 at 0, as a bare tf.sign does."
        return "the input quantizer is ternary (-1, 0, +1)."
    shown = ", ".join(f"{value:g}" for value in values[:4])
    more = ", ..." if values.size > 4 else ""
    return f"the input quantizer gives {shown}{more} in place of -1 and +1."
