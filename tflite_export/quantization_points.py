"""Which layers of a network get the range of an int8 activation.

Every result that stays float does, but for what never leaves the operator it is
computed in:

- a convolution in front of a normalisation or an activation that folds into it;
- what hands the numbers of its input on, such as a max pool, and has its range;
  a mean of them is rounded to the same steps, and what puts inputs together gives all
  of them one range;
- a binary convolution of which only signs are read: it writes bits.
"""

import math

import tensorflow as tf

from larq_irnet.layer_graph import LayerGraph
from larq_irnet.layers import ChannelScale, LearnableBias
from larq_irnet.operator_layers import function_of
from tflite_export.layer_kind import is_a
from tflite_export.layer_walk import is_binary

__all__ = [
    "AFFINE",
    "FOLDING",
    "activation_name",
    "is_of_one_scale",
    "only_reader",
    "passes",
    "quantization_points",
    "weighted_behind",
]

AFFINE = (tf.keras.layers.BatchNormalization, ChannelScale, LearnableBias)
"""Layers that the convolution in front of them takes in."""

_WEIGHTED = (
    tf.keras.layers.Conv2D,
    tf.keras.layers.Dense,
    tf.keras.layers.DepthwiseConv2D,
)
_PASSING = (
    tf.keras.layers.Cropping1D,
    tf.keras.layers.Cropping2D,
    tf.keras.layers.Dropout,
    tf.keras.layers.Flatten,
    tf.keras.layers.GlobalMaxPooling1D,
    tf.keras.layers.GlobalMaxPooling2D,
    tf.keras.layers.MaxPooling1D,
    tf.keras.layers.MaxPooling2D,
    tf.keras.layers.Permute,
    tf.keras.layers.RepeatVector,
    tf.keras.layers.Reshape,
    tf.keras.layers.UpSampling1D,
    tf.keras.layers.UpSampling2D,
    tf.keras.layers.ZeroPadding1D,
    tf.keras.layers.ZeroPadding2D,
)
_PASSING_FUNCTIONS = (
    "__operators__.getitem",
    "compat.v1.squeeze",
    "compat.v1.transpose",
    "expand_dims",
    "math.reduce_max",
    "reshape",
    "squeeze",
    "strided_slice",
    "transpose",
)
_OF_ONE_SCALE = (
    tf.keras.layers.AveragePooling1D,
    tf.keras.layers.AveragePooling2D,
    tf.keras.layers.Concatenate,
    tf.keras.layers.Maximum,
    tf.keras.layers.Minimum,
)
_FUNCTIONS_OF_ONE_SCALE = ("concat", "math.maximum", "math.minimum")

FOLDING = ("relu", "relu6", "hard_tanh")
"""Activations that convolutions and sums take in."""


def quantization_points(graph: LayerGraph) -> list[str]:
    """The layers whose results are to be int8, in the order of the network."""
    return [name for name in graph.names() if _is_point(graph, name)]


def _is_point(graph: LayerGraph, name: str) -> bool:
    layer = graph.layers[name]
    if passes(layer) or not _is_floating(layer):
        return False
    if graph.is_output(name):
        return True
    return not (_is_folded(graph, name) or _writes_bits(graph, name))


def passes(layer: tf.keras.layers.Layer) -> bool:
    """Whether a layer hands the numbers of its input on, or some of them."""
    return is_a(layer, _PASSING) or function_of(layer) in _PASSING_FUNCTIONS


def is_of_one_scale(layer: tf.keras.layers.Layer) -> bool:
    """Whether the runtime wants one scale for all that a layer reads and gives."""
    return is_a(layer, _OF_ONE_SCALE) or function_of(layer) in _FUNCTIONS_OF_ONE_SCALE


def _is_floating(layer: tf.keras.layers.Layer) -> bool:
    output = layer.get_output_at(0)
    return getattr(output, "dtype", None) in (tf.float32, "float32")


def only_reader(graph: LayerGraph, name: str) -> str | None:
    """The layer that alone takes the output of another, or `None`."""
    readers = graph.readers(name)
    return readers[0] if len(readers) == 1 and not graph.is_output(name) else None


def _is_folded(graph: LayerGraph, name: str) -> bool:
    """Whether the only reader of a layer becomes a part of its operator."""
    reader = only_reader(graph, name)
    if reader is None:
        return False
    weighted = weighted_behind(graph, name)
    if is_a(graph.layers[reader], AFFINE):
        return weighted is not None
    if not _is_folding_activation(graph.layers[reader]):
        return False
    if weighted is None:
        return is_a(graph.layers[name], tf.keras.layers.Add)
    return not is_binary(graph.layers[weighted])  # there, a scale comes in between


def _is_folding_activation(layer: tf.keras.layers.Layer) -> bool:
    kinds = (tf.keras.layers.Activation, tf.keras.layers.ReLU)
    return is_a(layer, kinds) and activation_name(layer) in FOLDING


def weighted_behind(graph: LayerGraph, name: str) -> str | None:
    """The convolution or dense layer that an affine layer folds into, or `None`.

    For such a layer without an activation, it is that layer itself.
    """
    while is_a(graph.layers[name], AFFINE):
        (name,) = graph.reads(name)
        if only_reader(graph, name) is None:
            return None
    layer = graph.layers[name]
    is_linear = is_a(layer, _WEIGHTED) and activation_name(layer) == "linear"
    return name if is_linear else None


def activation_name(layer: tf.keras.layers.Layer) -> str:
    """What a layer computes last: "linear", "relu", "hard_tanh", "softmax", ..."""
    if is_a(layer, tf.keras.layers.ReLU):
        plain = not layer.negative_slope and not layer.threshold
        # out of a saved configuration it is an array
        highest = math.inf if layer.max_value is None else float(layer.max_value)
        names = {math.inf: "relu", 6.0: "relu6"}
        return names.get(highest, "other") if plain else "other"
    if is_a(layer, tf.keras.layers.Softmax):
        return "softmax"
    activation = getattr(layer, "activation", None)
    if activation is None:
        return "linear"
    return str(getattr(activation, "__name__", "other"))


def _writes_bits(graph: LayerGraph, name: str) -> bool:
    """Whether only signs are read of a binary convolution, maybe behind pools."""
    weighted = weighted_behind(graph, name)
    if weighted is None or not is_binary(graph.layers[weighted]):
        return False
    return _only_signs_are_read(graph, name)


def _only_signs_are_read(graph: LayerGraph, name: str) -> bool:
    if graph.is_output(name):
        return False
    return all(
        is_binary(graph.layers[reader])
        or is_a(graph.layers[reader], tf.keras.layers.MaxPooling2D)
        and _only_signs_are_read(graph, reader)
        for reader in graph.readers(name)
    )
