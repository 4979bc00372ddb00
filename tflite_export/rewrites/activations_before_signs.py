"""A hard tanh directly in front of a sign is taken out: the sign does not see it.

The converter leaves it as an operator of its own, and the convolution in front writes
floats instead of bits. The same holds for other activations that keep signs.
"""

from typing import Any

import tensorflow as tf

from larq_irnet.layer_graph import LayerGraph
from tflite_export.layer_kind import is_a
from tflite_export.rewrites.candidates import (
    candidates,
    has_linear_activation,
    reconfigured,
)
from tflite_export.rewrites.change import Change
from tflite_export.rewrites.sign_readers import (
    only_signs_are_read,
    preserves_signs,
    sign_of_its_own,
)

__all__ = ["activations_before_signs"]

_ACTIVATED_LAST = (  # recurrent layers are not: their state is activated as well
    tf.keras.layers.Conv1D,
    tf.keras.layers.Conv2D,
    tf.keras.layers.Conv3D,
    tf.keras.layers.Dense,
    tf.keras.layers.DepthwiseConv2D,
    tf.keras.layers.SeparableConv1D,
    tf.keras.layers.SeparableConv2D,
)


def activations_before_signs(graph: LayerGraph) -> list[Change]:
    """Removes activations of which every reader takes the sign alone."""
    changes = []
    for name, layer in reversed([*candidates(graph)]):  # those behind first
        is_activation = _keeps_signs(graph, name, layer)
        if not (is_activation or _has_such_an_activation(layer)):
            continue
        if not only_signs_are_read(graph, name):
            continue
        if is_activation:
            graph.remove(name)
            changes.append(Change(name, "what reads it takes its sign alone."))
        else:
            graph.replace(name, reconfigured(layer, activation="linear"))
            reason = "what reads its activation takes the sign alone."
            changes.append(Change(name, reason))
    return changes[::-1]


def _has_such_an_activation(layer: tf.keras.layers.Layer) -> bool:
    if not is_a(layer, _ACTIVATED_LAST) or has_linear_activation(layer):
        return False
    return preserves_signs(layer.activation)


def _keeps_signs(graph: LayerGraph, name: str, layer: Any) -> bool:
    """Whether a layer is an activation that keeps signs, and nothing else."""
    if is_a(layer, tf.keras.layers.Activation):
        is_sign = sign_of_its_own(layer) is not None
        return is_sign or preserves_signs(layer.activation)
    if is_a(layer, tf.keras.layers.LeakyReLU):
        return bool(layer.alpha > 0.0)
    if is_a(layer, tf.keras.layers.PReLU):
        return bool((layer.alpha.numpy() > 0.0).all())
    if sign_of_its_own(layer) is not None:
        return True
    return _is_clip_around_zero(graph, name, layer)


def _is_clip_around_zero(graph: LayerGraph, name: str, layer: Any) -> bool:
    if type(layer).__name__ != "TFOpLambda":
        return False
    if layer.get_config()["function"] != "clip_by_value":
        return False
    arguments = graph.arguments(name)
    limits = [arguments.get(f"clip_value_{end}") for end in ("min", "max")]
    lower, upper = [one if isinstance(one, (int, float)) else 0.0 for one in limits]
    return lower < 0.0 < upper
