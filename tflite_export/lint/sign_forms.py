"""How the converter recognises a sign, which becomes `LceQuantize`.

It matches graphs, not meanings. A sign is a select between the constants +1 and -1, or
`Sign(Sign(x) + c)`, which is `larq.math.sign` for 0 < c < 1. Anything else stays float.
The second form is taken for a sign whatever c is: then it is computed wrongly.
"""

from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from tflite_export.lint.operator_graph import OperatorGraph, constant_value

__all__ = ["Sign", "find_sign"]

_ADDITIONS = ("Add", "AddV2")
_SELECTS = ("Select", "SelectV2")


@dataclass(frozen=True)
class Sign:
    """A sign that the converter recognises.

    # Attributes
        operand: What it takes the sign of.
        comparison: The operator that remains in front of it, or "".
        wrong_because: Why the converted sign differs from that of the model, or "".
    """

    operand: tf.Tensor
    comparison: str = ""
    wrong_because: str = ""


def find_sign(graph: OperatorGraph, tensor: tf.Tensor) -> Sign | None:
    """The sign that gives a tensor, or `None` if the converter recognises none."""
    tensor = graph.source(tensor)
    if tensor.op.type == "Sign":
        return _sign_of_shifted_sign(graph, tensor.op)
    if tensor.op.type in _SELECTS:
        return _select_of_ones(graph, tensor.op)
    if tensor.op.type == "Mul":
        return _multiplied_by_one(graph, tensor.op)
    return None


def _sign_of_shifted_sign(graph: OperatorGraph, operator: tf.Operation) -> Sign | None:
    (addition,) = (tensor.op for tensor in graph.inputs(operator))
    if addition.type not in _ADDITIONS:
        return None
    one, other = graph.inputs(addition)
    for first, shift in ((one, other), (other, one)):
        if first.op.type == "Sign":
            (operand,) = graph.inputs(first.op)
            return Sign(operand, wrong_because=_why_wrong(constant_value(shift)))
    return None


def _why_wrong(shift: np.ndarray | None) -> str:
    if shift is None:
        return "it is ternary (-1, 0, +1), which LCE takes for binary."
    if (shift > 0.0).all() and (shift < 1.0).all():
        return ""
    return (
        f"it is sign(sign(x) + c) with c = {shift.flat[0]:g}, which LCE computes as if "
        "c were 0.1: 0 becomes +1, and other values keep their sign."
    )


def _select_of_ones(graph: OperatorGraph, operator: tf.Operation) -> Sign | None:
    condition, *branches = graph.inputs(operator)
    values = [constant_value(branch) for branch in branches]
    for one, positive_first in ((1.0, True), (-1.0, False)):
        if _is_filled_with(values[0], one) and _is_filled_with(values[1], -one):
            return _sign_by_condition(graph, condition.op, positive_first)
    return None


def _is_filled_with(value: np.ndarray | None, number: float) -> bool:
    return value is not None and bool((value == number).all())


# x >= 0 selects +1, or x < 0 selects -1, is what LceQuantize does itself
_ABSORBED = {"GreaterEqual": True, "Less": False}
_MIRRORED = {
    "GreaterEqual": "LessEqual",
    "LessEqual": "GreaterEqual",
    "Greater": "Less",
    "Less": "Greater",
}


def _sign_by_condition(
    graph: OperatorGraph, condition: tf.Operation, positive_first: bool
) -> Sign | None:
    if condition.type == "LogicalNot":
        (negated,) = graph.inputs(condition)
        return _sign_by_condition(graph, negated.op, not positive_first)
    if condition.type not in _MIRRORED:
        return Sign(condition.outputs[0], comparison=condition.type)
    one, other = graph.inputs(condition)
    is_mirrored = graph.is_data(other) and not graph.is_data(one)
    kind = _MIRRORED[condition.type] if is_mirrored else condition.type
    operand, threshold = (other, one) if is_mirrored else (one, other)
    is_with_zero = _is_filled_with(constant_value(threshold), 0.0)
    if is_with_zero and _ABSORBED.get(kind) is positive_first:
        return Sign(operand)
    return Sign(operand, comparison=condition.type)


def _multiplied_by_one(graph: OperatorGraph, operator: tf.Operation) -> Sign | None:
    one, other = graph.inputs(operator)
    for first, factor in ((one, other), (other, one)):
        if _is_filled_with(constant_value(factor), 1.0):
            return find_sign(graph, first)
    return None
