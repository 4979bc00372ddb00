"""A binary dense layer becomes a convolution of its whole input.

Larq Compute Engine has no binary dense kernel, and would leave it float. Behind a
`Flatten` the convolution reads the image itself, so that a binary convolution in front
can write bits; elsewhere it reads an image of one pixel.
"""

import larq as lq
import tensorflow as tf

from larq_irnet.layer_graph import LayerGraph
from larq_irnet.layers import QuantConv2D
from tflite_export.layer_kind import is_a
from tflite_export.layer_walk import is_binary
from tflite_export.rewrites.candidates import candidates, latent_weights
from tflite_export.rewrites.change import Change

__all__ = ["dense_as_convolution"]

_LANES = 32  # channels that LCE packs into one word


def dense_as_convolution(graph: LayerGraph) -> list[Change]:
    """Replaces binary dense layers of inputs [N, C]."""
    changes = []
    for name, layer in candidates(graph, lq.layers.QuantDense):
        if not is_binary(layer) or len(layer.input_shape) != 2:
            continue
        (source,) = graph.sources(name)
        image = _flattened_image(graph, source[0])
        if image is None:
            image = (1, 1, layer.input_shape[-1])
            pixel = graph.unused(f"{name}_pixel")
            graph.insert_before(name, tf.keras.layers.Reshape(image, name=pixel))
            graph.replace(name, _convolution(layer, image))
        else:
            flatten = source[0]
            sources = graph.sources(flatten)
            graph.replace(name, _convolution(layer, image), sources=sources)
            if not graph.readers(flatten) and not graph.is_output(flatten):
                graph.remove(flatten)
        flat = graph.unused(f"{name}_flat")
        graph.insert(name, tf.keras.layers.Reshape((layer.units,), name=flat))
        kernel, *bias = latent_weights(layer)
        weights = {name: [kernel.reshape(*image, layer.units), *bias]}
        size = "x".join(map(str, image[:2]))
        reason = f"there is no binary dense kernel, but one for {size} convolutions."
        changes.append(Change(name, reason, weights))
    return changes


def _flattened_image(graph: LayerGraph, name: str) -> tuple[int, int, int] | None:
    """The shape of what a layer flattens, if it takes as many words in packed bits."""
    layer = graph.layers[name]
    if not is_a(layer, tf.keras.layers.Flatten) or name in graph.shared:
        return None
    shape = layer.input_shape[1:]
    if layer.data_format != "channels_last" or len(shape) != 3 or None in shape:
        return None
    height, width, channels = shape
    return (height, width, channels) if channels % _LANES == 0 else None


def _convolution(
    layer: lq.layers.QuantDense, image: tuple[int, int, int]
) -> QuantConv2D:
    known = QuantConv2D(1, 1).get_config()
    config = {key: value for key, value in layer.get_config().items() if key in known}
    config.pop("method", None)
    return QuantConv2D(
        **{**config, "filters": layer.units, "kernel_size": image[:2]}
    )  # the rest is the same
