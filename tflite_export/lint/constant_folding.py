"""Whether the converter computes a quantized kernel while it converts.

A kernel is binary only if it is a constant by then. The converter computes an operator
on constants unless its operands or its result are large; what it leaves is computed on
the device, in float, and without a word. Signs themselves have no limit.
"""

import math
from collections.abc import Iterable

import tensorflow as tf

from tflite_export.lint.operator_graph import OperatorGraph
from tflite_export.lint.sign_forms import find_sign

__all__ = ["explain_folding"]

_MEBIBYTE = 2**20
_LARGEST_OPERANDS = 128 * _MEBIBYTE
_LARGEST_RESULT = _MEBIBYTE  # unless it is at most twice the operands
_ALWAYS_FOLDED = ("Const", "Fill", "OnesLike", "Placeholder", "ReadVariableOp")


def explain_folding(graph: OperatorGraph, kernel: tf.Tensor) -> str | None:
    """Why a quantized kernel stays to be computed on the device; `None` if it does not.

    # Arguments
        graph: The model.
        kernel: What a convolution takes as its kernel.
    """
    kernel = graph.source(kernel)
    if _is_sign_of_variable(graph, kernel):
        return None
    seen = {kernel.op.name}
    waiting = [kernel.op]
    while waiting:
        operator = waiting.pop()
        reason = _explain_operator(graph, operator)
        if reason is not None:
            return f"{reason}; the layer would stay float."
        for tensor in graph.inputs(operator):
            if tensor.op.name not in seen:
                seen.add(tensor.op.name)
                waiting.append(tensor.op)
    return None


def _is_sign_of_variable(graph: OperatorGraph, kernel: tf.Tensor) -> bool:
    if kernel.op.type != "Sign":
        return False
    sign = find_sign(graph, kernel)
    return sign is not None and sign.operand.op.type == "ReadVariableOp"


def _explain_operator(graph: OperatorGraph, operator: tf.Operation) -> str | None:
    if operator.type in _ALWAYS_FOLDED:
        return None
    operands, result = _bytes(graph.inputs(operator)), _bytes(operator.outputs)
    if operands > _LARGEST_OPERANDS:
        return (
            f"its kernel quantizer has an operator ({operator.type}) with operands of "
            f"{operands / _MEBIBYTE:.0f} MiB; the converter computes none beyond "
            f"{_LARGEST_OPERANDS // _MEBIBYTE} MiB"
        )
    if result > max(_LARGEST_RESULT, 2 * operands):
        return (
            f"its kernel quantizer has an operator ({operator.type}) that makes "
            f"{result / _MEBIBYTE:.1f} MiB of less than half as much, as tf.where and "
            "casts of a comparison do; the converter computes that up to 1 MiB only"
        )
    return None


def _bytes(tensors: Iterable[tf.Tensor]) -> int:
    return sum(
        tensor.dtype.size * math.prod(tensor.shape.as_list())
        for tensor in tensors
        if tensor.dtype != tf.resource and tensor.shape.is_fully_defined()
    )
