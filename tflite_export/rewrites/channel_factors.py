"""Factors and shifts behind a binary convolution, in a shape that the runtime takes.

The converter folds any constant into a binary convolution, but the runtime refuses
those of more than one axis, such as a scale of shape (1, 1, 1, C). Those that are equal
at all positions become layers with a number for each channel; the others, which cannot
be folded, are kept apart from the convolution.
"""

import numpy as np
import tensorflow as tf

from larq_irnet.layer_graph import LayerGraph
from larq_irnet.layers import ChannelScale, LearnableBias
from tflite_export.layer_kind import is_a
from tflite_export.layer_walk import is_binary
from tflite_export.rewrites.affine_layers import (
    FACTOR,
    SHIFT,
    affine_operators,
)
from tflite_export.rewrites.candidates import candidates, is_convolution
from tflite_export.rewrites.change import Change
from tflite_export.rewrites.channel_layers import acts_on_channels

__all__ = ["channel_factors"]

_RESHAPING = (tf.keras.layers.Flatten, tf.keras.layers.Reshape)
_FAR = 2.0**20  # where rounding of the shift is small against the factor


def channel_factors(graph: LayerGraph) -> list[Change]:
    """Replaces factors and shifts of several axes, or keeps them from being folded."""
    changes = []
    folded: set[str] = set()  # layers that the converter folds into convolutions
    for name, layer in candidates(graph):
        if is_convolution(layer):
            folded |= {name} if is_binary(layer) else set()
            continue
        if len(graph.sources(name)) != 1 or graph.reads(name)[0] not in folded:
            continue
        # The converter folds across what reshapes.
        if is_a(layer, _RESHAPING) or acts_on_channels(layer, len(layer.input_shape)):
            folded.add(name)
            continue
        if not _keeps_shape(layer):
            continue
        operators = affine_operators(layer, graph.arguments(name))
        if operators is None:
            continue
        if all(axes <= 1 for _, axes in operators):
            folded.add(name)
            continue
        change = _by_channel(graph, name, {kind for kind, _ in operators})
        if change is not None:
            folded |= {name, *change.weights}
        changes.append(change or _kept_apart(graph, name))
    return changes


def _keeps_shape(layer: tf.keras.layers.Layer) -> bool:
    """Whether a layer makes of one tensor another one of the same shape."""
    shapes = layer.input_shape, layer.output_shape
    return all(isinstance(one, tuple) for one in shapes) and shapes[0] == shapes[1]


def _by_channel(graph: LayerGraph, name: str, kinds: set[str]) -> Change | None:
    """Replaces a layer by those of its scale and shift, if positions are all alike."""
    scale, shift = _scale_and_shift(graph, name, kinds)
    if np.ptp(scale, axis=0).any() or np.ptp(shift, axis=0).any():
        return None
    weights = {}
    if FACTOR in kinds:
        graph.replace(name, ChannelScale())
        weights[name] = [scale[0]]
    else:
        graph.replace(name, LearnableBias())
        weights[name] = [shift[0]]
    if kinds == {FACTOR, SHIFT}:
        bias = LearnableBias(name=graph.unused(f"{name}_shift"))
        weights[graph.insert(name, bias)] = [shift[0]]
    return Change(name, "the runtime takes one number for each channel.", weights)


def _scale_and_shift(
    graph: LayerGraph, name: str, kinds: set[str]
) -> tuple[np.ndarray, np.ndarray]:
    """What a layer multiplies with and adds at each position, [positions, C]."""
    layer, arguments = graph.layers[name], graph.arguments(name)

    def value_at(x: float) -> np.ndarray:
        values = layer(tf.fill((1, *layer.input_shape[1:]), x), **arguments).numpy()
        return values.reshape(-1, layer.input_shape[-1])

    shift = value_at(0.0)
    if SHIFT not in kinds:
        return value_at(1.0), shift
    return (value_at(_FAR) - shift) / _FAR, shift


def _kept_apart(graph: LayerGraph, name: str) -> Change:
    is_image = len(graph.layers[name].input_shape) == 4
    pool = tf.keras.layers.MaxPooling2D if is_image else tf.keras.layers.MaxPooling1D
    graph.insert_before(name, pool(1, name=graph.unused(f"{name}_apart")))
    reason = "it differs by position; a pool of one pixel keeps it from being folded."
    return Change(name, reason)
