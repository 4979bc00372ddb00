"""A binary convolution of sequences becomes one of images that are one pixel high.

Larq Compute Engine has no binary kernel for sequences, and would leave it float. What
is padded with zeros in front only, "causal" padding, is padded with +1 instead, whose
part in the first outputs is known, and taken off again.
"""

from typing import Any

import larq as lq
import numpy as np
import tensorflow as tf

from larq_irnet.layer_graph import LayerGraph
from larq_irnet.layers import NamedActivation, QuantConv2D
from tflite_export.layer_walk import is_binary
from tflite_export.rewrites.candidates import (
    candidates,
    has_linear_activation,
    latent_weights,
)
from tflite_export.rewrites.change import Change
from tflite_export.rewrites.sign_readers import takes_signs

__all__ = ["PositionBias", "conv1d_as_conv2d"]


@tf.keras.utils.register_keras_serializable(package="tflite_export")
class PositionBias(tf.keras.layers.Layer):
    """Adds a number of its own to each value of an input [N, ...] of static shape."""

    def build(self, input_shape: Any) -> None:
        self.bias = self.add_weight(
            name="bias", shape=input_shape[1:], initializer="zeros"
        )
        super().build(input_shape)

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        return inputs + self.bias


def conv1d_as_conv2d(graph: LayerGraph) -> list[Change]:
    """Replaces binary convolutions of inputs [N, L, C] by those of [N, 1, L, C]."""
    changes = []
    for name, layer in candidates(graph, lq.layers.QuantConv1D):
        if not _can_be_a_row(layer):
            continue
        kernel, *bias = latent_weights(layer)  # [k, C_in, C_out]
        weights = {name: [kernel[np.newaxis], *bias]}
        for one in _in_front(graph, name, layer):
            graph.insert_before(name, one)
        graph.replace(name, _convolution_of_rows(layer))
        last = name
        if _zeros_in_front(layer):
            border = PositionBias(name=graph.unused(f"{name}_border"))
            last = graph.insert(name, border)
            weights[last] = [-_part_of_ones(layer, kernel)[np.newaxis]]
        sequence = _reshape(graph, f"{name}_sequence", layer.output_shape)
        last = graph.insert(last, sequence)
        if layer.padding == "causal" and not has_linear_activation(layer):
            activation = graph.unused(f"{name}_activation")
            graph.insert(last, NamedActivation(layer.activation, name=activation))
        reason = "there is no binary kernel for sequences, but one for rows of images."
        changes.append(Change(name, reason, weights))
    return changes


def _can_be_a_row(layer: lq.layers.QuantConv1D) -> bool:
    return (
        is_binary(layer)
        and layer.data_format == "channels_last"
        and None not in layer.input_shape[1:]
        and (layer.padding != "causal" or takes_signs(layer))
    )


def _zeros_in_front(layer: lq.layers.QuantConv1D) -> int:
    """How many zeros a causal convolution puts in front of its inputs."""
    if layer.padding != "causal":
        return 0
    return int((layer.kernel_size[0] - 1) * layer.dilation_rate[0])


def _in_front(
    graph: LayerGraph, name: str, layer: lq.layers.QuantConv1D
) -> list[tf.keras.layers.Layer]:
    _, length, channels = layer.input_shape
    row = _reshape(graph, f"{name}_row", (None, 1, length, channels))
    zeros = _zeros_in_front(layer)
    if not zeros:
        return [row]
    padding = ((0, 0), (zeros, 0))
    pad = graph.unused(f"{name}_pad")
    return [row, tf.keras.layers.ZeroPadding2D(padding, name=pad)]


def _reshape(
    graph: LayerGraph, name: str, shape: tuple[int | None, ...]
) -> tf.keras.layers.Layer:
    return tf.keras.layers.Reshape(shape[1:], name=graph.unused(name))


def _convolution_of_rows(layer: lq.layers.QuantConv1D) -> QuantConv2D:
    is_causal = layer.padding == "causal"
    return QuantConv2D.from_config(
        {
            **layer.get_config(),
            "kernel_size": (1, *layer.kernel_size),
            "strides": (1, *layer.strides),
            "dilation_rate": (1, *layer.dilation_rate),
            "padding": "valid" if is_causal else layer.padding,
            "activation": "linear" if is_causal else layer.activation,
        }
    )


def _part_of_ones(layer: lq.layers.QuantConv1D, kernel: np.ndarray) -> np.ndarray:
    """What a padding with +1 in front adds to each output, [L, C_out]."""
    outputs = np.arange(layer.output_shape[1])[:, np.newaxis]
    taps = np.arange(len(kernel))[np.newaxis]
    places = outputs * layer.strides[0] + taps * layer.dilation_rate[0]
    is_padding = places < _zeros_in_front(layer)  # [L, k]
    return (is_padding @ kernel.sum(axis=1)).astype(kernel.dtype)
