"""Padding between a sign and a binary convolution, in a form that is computed rightly.

The converter takes explicit padding of signs for "same" padding, also where a stride
sets its windows elsewhere, and leaves convolutions of signs that are padded with zeros
in full precision. The same values come from

- zeros in front of the sign, which makes +1 of them, for a padding with +1,
- "same" padding with zeros, where the windows are the same,
- the "same" convolution with a stride of one, of which only some pixels are kept.
"""

from typing import Any

import larq as lq
import tensorflow as tf

from larq_irnet.layer_graph import LayerGraph
from tflite_export.layer_kind import is_a
from tflite_export.rewrites.candidates import candidates, only_reader, reconfigured
from tflite_export.rewrites.change import Change
from tflite_export.rewrites.padding_within_convolution import Padding, axes
from tflite_export.rewrites.sign_readers import sign_of_its_own
from tflite_export.rewrites.signs_within_convolutions import quantizes_weights_only

__all__ = ["padding_of_signs"]


def padding_of_signs(graph: LayerGraph) -> list[Change]:
    """Moves padding that follows a sign in front of it, or into the convolution."""
    changes = []
    for name, layer in candidates(graph):
        padding, convolution = _padding(graph, name, layer), only_reader(graph, name)
        if padding is None or convolution is None:
            continue
        (sign,) = graph.reads(name)
        if sign in graph.shared or sign_of_its_own(graph.layers[sign]) is None:
            continue
        if not _is_unpadded(graph.layers[convolution]):
            continue
        pad, value = padding
        if value == 1.0 and only_reader(graph, sign) == name:
            _pad_before_sign(graph, name, sign, pad)
            reason = "zeros in front of the sign are +1 behind it."
        elif value == 0.0 and _pad_within(graph, name, convolution, pad):
            reason = f"{convolution} pads with zeros by itself."
        else:
            continue
        changes.append(Change(name, reason))
    return changes


def _padding(graph: LayerGraph, name: str, layer: Any) -> tuple[Padding, float] | None:
    """Rows and columns around an image, and their value, if a layer puts them there."""
    if is_a(layer, tf.keras.layers.ZeroPadding2D):
        return (layer.padding, 0.0) if layer.data_format == "channels_last" else None
    if type(layer).__name__ != "TFOpLambda":
        return None
    if layer.get_config()["function"] not in ("compat.v1.pad", "pad"):
        return None
    arguments = graph.arguments(name)
    paddings, value = arguments.get("paddings"), arguments.get("constant_values", 0)
    if str(arguments.get("mode", "CONSTANT")).upper() != "CONSTANT":
        return None
    if not (isinstance(paddings, list) and isinstance(value, (int, float))):
        return None
    if len(paddings) != 4 or any(map(any, (paddings[0], paddings[3]))):
        return None
    height, width = map(tuple, paddings[1:3])
    return (height, width), float(value)


def _is_unpadded(layer: tf.keras.layers.Layer) -> bool:
    return (
        is_a(layer, lq.layers.QuantConv2D)
        and quantizes_weights_only(layer)
        and layer.padding == "valid"
        and layer.data_format == "channels_last"
    )


def _pad_before_sign(graph: LayerGraph, name: str, sign: str, pad: Padding) -> None:
    graph.remove(name)
    zeros = tf.keras.layers.ZeroPadding2D(pad, name=graph.unused(f"{sign}_pad"))
    graph.insert_before(sign, zeros)


def _pad_within(graph: LayerGraph, name: str, convolution: str, pad: Padding) -> bool:
    """Lets a convolution pad with zeros by itself, if that has the same windows."""
    layer, size = graph.layers[convolution], graph.layers[name].input_shape[1:3]
    strided = axes(size, pad, layer)
    if all(axis.zeros_around_kernel() == (0, 0) for axis in strided):
        _replace_padding(graph, name, convolution, layer.strides)
        return True
    dense = axes(size, pad, layer, strides=(1, 1))
    if not all(
        one.zeros_around_kernel() == (0, 0) and some.is_as_long_as_same()
        for one, some in zip(dense, strided)
    ):
        return False
    _replace_padding(graph, name, convolution, (1, 1))
    kept = tf.keras.layers.MaxPooling2D(
        1, layer.strides, name=graph.unused(f"{convolution}_kept")
    )
    graph.insert(convolution, kept)
    return True


def _replace_padding(
    graph: LayerGraph, name: str, convolution: str, strides: tuple[int, int]
) -> None:
    layer = graph.layers[convolution]
    padded = reconfigured(layer, padding="same", pad_values=0.0, strides=strides)
    graph.replace(convolution, padded)
    graph.remove(name)
