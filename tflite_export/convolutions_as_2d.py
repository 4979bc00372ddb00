"""Convolutions that int8 has no operator for, as those of images.

- One of sequences becomes one of images that are one pixel high; the converter would
  put it together from reshaped pieces, each with weights and ranges of its own.
- A separable one becomes a depthwise one and one of single pixels.
"""

import numpy as np
import tensorflow as tf

from larq_irnet.layer_graph import LayerGraph
from tflite_export.layer_kind import is_a
from tflite_export.rewrites.candidates import candidates, only_reader, reconfigured
from tflite_export.rewrites.channel_layers import acts_on_channels

__all__ = ["convolutions_as_2d"]

_ACTIVATIONS = (tf.keras.layers.Activation, tf.keras.layers.ReLU)
_OF_BOTH_PARTS = ("padding", "data_format")


def convolutions_as_2d(model: tf.keras.Model) -> tf.keras.Model:
    """The same function with float convolutions of images only.

    A causal convolution stays as it is.

    # Arguments
        model: A functional or sequential model in float32, each layer called once.

    # Returns
        A new model, or `model` itself if there is nothing to replace.
    """
    graph = LayerGraph(model)
    weights: dict[str, list[np.ndarray]] = {}
    for name, layer in candidates(graph):
        if type(layer) is tf.keras.layers.Conv1D and _can_be_a_row(layer):
            weights |= _row(graph, name, layer)
        elif type(layer) is tf.keras.layers.SeparableConv2D:
            weights |= _two_parts(graph, name, layer)
    if not weights:
        return model
    return graph.build(transfer_weights=True, weights=weights)


def _can_be_a_row(layer: tf.keras.layers.Conv1D) -> bool:
    return (
        layer.padding != "causal"
        and layer.data_format == "channels_last"
        and None not in layer.input_shape[1:]
    )


def _row(
    graph: LayerGraph, name: str, layer: tf.keras.layers.Conv1D
) -> dict[str, list[np.ndarray]]:
    """Replaces a convolution [N, L, C], and what folds into it, by [N, 1, L, C]."""
    kernel, *bias = map(np.asarray, layer.get_weights())  # [k, C_in, C_out]
    weights = {name: [kernel[np.newaxis], *bias]}
    shape = (1, *layer.input_shape[1:])
    row = tf.keras.layers.Reshape(shape, name=graph.unused(f"{name}_row"))
    graph.insert_before(name, row)
    config = {
        **layer.get_config(),
        "kernel_size": (1, *layer.kernel_size),
        "strides": (1, *layer.strides),
        "dilation_rate": (1, *layer.dilation_rate),
    }
    graph.replace(name, tf.keras.layers.Conv2D.from_config(config))
    last, folding = name, only_reader(graph, name)
    while folding is not None:
        other = graph.layers[folding]
        if is_a(other, tf.keras.layers.BatchNormalization):
            if not acts_on_channels(other, axes=3):
                break
            weights[folding] = [*map(np.asarray, other.get_weights())]
            graph.replace(folding, reconfigured(other, axis=-1))
        elif not (is_a(other, _ACTIVATIONS) or acts_on_channels(other)):
            break
        last, folding = folding, only_reader(graph, folding)
    sequence = graph.unused(f"{name}_sequence")
    graph.insert(last, tf.keras.layers.Reshape(layer.output_shape[1:], name=sequence))
    return weights


def _two_parts(
    graph: LayerGraph, name: str, layer: tf.keras.layers.SeparableConv2D
) -> dict[str, list[np.ndarray]]:
    depthwise, pointwise, *bias = map(np.asarray, layer.get_weights())
    config = layer.get_config()
    both = {key: config[key] for key in _OF_BOTH_PARTS}
    first = graph.unused(f"{name}_depthwise")
    part = tf.keras.layers.DepthwiseConv2D(
        layer.kernel_size,
        strides=layer.strides,
        dilation_rate=layer.dilation_rate,
        depth_multiplier=layer.depth_multiplier,
        use_bias=False,
        name=first,
        **both,
    )
    graph.insert_before(name, part)
    pixels = tf.keras.layers.Conv2D(
        layer.filters,
        1,
        activation=layer.activation,
        use_bias=layer.use_bias,
        data_format=layer.data_format,
    )
    graph.replace(name, pixels)
    return {first: [depthwise], name: [pointwise, *bias]}
