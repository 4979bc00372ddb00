"""Layers that do nothing but scale and shift, found by looking at their operators."""

from collections.abc import Mapping
from typing import Any

import tensorflow as tf

__all__ = ["FACTOR", "SHIFT", "affine_operators"]

FACTOR, SHIFT = "factor", "shift"

_KINDS = {
    "Add": SHIFT,
    "AddV2": SHIFT,
    "Mul": FACTOR,
    "RealDiv": FACTOR,
    "Sub": SHIFT,
}
_PASS_THROUGH = ("Identity", "IdentityN", "StopGradient")

Operators = list[tuple[str, int]]


def affine_operators(layer: Any, arguments: Mapping[str, Any]) -> Operators | None:
    """What a layer of one call multiplies with and adds, if it does nothing else.

    # Arguments
        layer: One of one input and one output, which a model has called once.
        arguments: What that call takes beside the input.

    # Returns
        For each operator whether it is a `FACTOR` or a `SHIFT`, and of how many axes
        its constant is; `None` for a layer that does anything else.

    # Example
        >>> layer = tf.keras.layers.Rescaling(0.5, offset=1.0)
        >>> model = tf.keras.Sequential([tf.keras.Input((4, 4, 3)), layer])
        >>> affine_operators(layer, {})
        [('shift', 0), ('factor', 0)]
    """
    traced = tf.function(lambda x: layer(x, **arguments), autograph=False)
    spec = tf.TensorSpec((1, *layer.input_shape[1:]), layer.input.dtype)
    graph = traced.get_concrete_function(spec).graph
    if len(graph.outputs) != 1:
        return None
    return _operators(graph.outputs[0], graph.inputs[0])


def _operators(output: tf.Tensor, source: tf.Tensor) -> Operators | None:
    operators: Operators = []
    tensor = output
    while tensor is not source:
        op = tensor.op
        if op.type in _PASS_THROUGH:
            tensor = op.inputs[tensor.value_index]
            continue
        dependent = [one for one in op.inputs if _depends_on(one, source)]
        if op.type not in _KINDS or len(dependent) != 1:
            return None
        is_second = dependent[0] is op.inputs[-1]
        if is_second and op.type == "RealDiv":
            return None
        constant = op.inputs[0 if is_second else 1]
        operators.append((_KINDS[op.type], constant.shape.rank))
        if is_second and op.type == "Sub":
            operators.append((FACTOR, 0))  # of -1
        (tensor,) = dependent
    return operators


def _depends_on(tensor: tf.Tensor, source: tf.Tensor) -> bool:
    seen, to_visit = set(), [tensor]
    while to_visit:
        current = to_visit.pop()
        if current is source:
            return True
        if id(current.op) not in seen:
            seen.add(id(current.op))
            to_visit.extend(current.op.inputs)
    return False
