"""Exact rewrites of single layers: the same function, in a form that LCE runs better.

- A binary dense layer becomes a 1x1 convolution: Larq Compute Engine has no binary
  dense kernel, and would leave it float.
- Explicit zero padding in front of a strided convolution moves into its "same" padding.
  Larq Compute Engine takes the one for the other, also where their borders differ, as
  for the stems of networks that come from PyTorch on even sizes; zeros around the
  kernel make them equal.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import larq as lq
import numpy as np
import tensorflow as tf

from larq_irnet.layer_graph import LayerGraph, shared_layers
from larq_irnet.layers import QuantConv2D
from larq_irnet.quantized_scope import quantized_scope
from tflite_export.layer_walk import is_binary

__all__ = ["rewrite_layers"]


def rewrite_layers(model: tf.keras.Model) -> tf.keras.Model:
    """The same function, with the layers that Larq Compute Engine runs well or right.

    # Arguments
        model: A functional or sequential model in float32. One with shared layers, or
            without anything to rewrite, is returned as it is.

    # Returns
        A model that shares nothing with `model` but for what is its own.
    """
    if shared_layers(model):
        return model
    graph = LayerGraph(model)
    weights = {
        **_dense_as_convolution(graph),
        **_padding_within_convolution(graph),
    }
    if not weights:
        return model
    rewritten = graph.build(transfer_weights=True)
    with quantized_scope(False):
        for name, values in weights.items():
            rewritten.get_layer(name).set_weights(values)
    return rewritten


def _latent_weights(layer: tf.keras.layers.Layer) -> list[np.ndarray]:
    with quantized_scope(False):
        return [np.asarray(value) for value in layer.get_weights()]


def _dense_as_convolution(graph: LayerGraph) -> dict[str, list[np.ndarray]]:
    """Replaces binary dense layers of [N, C] inputs; gives the new layers' weights."""
    weights = {}
    for name in graph.names():
        layer = graph.layers[name]
        if not (isinstance(layer, lq.layers.QuantDense) and is_binary(layer)):
            continue
        if len(layer.input.shape) != 2:
            continue
        kernel, *bias = _latent_weights(layer)
        weights[name] = [kernel[np.newaxis, np.newaxis], *bias]  # [1, 1, C_in, C_out]
        pixel = tf.keras.layers.Reshape(
            (1, 1, kernel.shape[0]), name=graph.unused(f"{name}_pixel")
        )
        flat = tf.keras.layers.Reshape(
            (layer.units,), name=graph.unused(f"{name}_flat")
        )
        graph.insert_before(name, pixel)
        graph.replace(name, _pixel_convolution(layer))
        graph.insert(name, flat)
    return weights


def _pixel_convolution(layer: lq.layers.QuantDense) -> lq.layers.QuantConv2D:
    known = QuantConv2D(1, 1).get_config()
    config = {key: value for key, value in layer.get_config().items() if key in known}
    config.pop("method", None)
    return QuantConv2D(
        **{**config, "filters": layer.units, "kernel_size": 1}  # the rest is the same
    )


@dataclass(frozen=True)
class _Axis:
    """Padding along height or width.

    # Attributes
        size: Pixels before the padding; `None` if it is not known.
        before: Zeros in front.
        after: Zeros behind.
        kernel: Size of the kernel.
        stride: Of the convolution.
    """

    size: int | None
    before: int
    after: int
    kernel: int
    stride: int

    def zeros_around_kernel(self) -> tuple[int, int] | None:
        """Rows of zeros in front of the kernel and behind it, or `None`.

        With them, "same" padding of the larger kernel has the windows of the explicit
        padding.
        """
        if self.size is None:
            return None
        outputs = (
            self.size + self.before + self.after - self.kernel
        ) // self.stride + 1
        if outputs != -(-self.size // self.stride):
            return None
        for extra in range(self.kernel + 1):
            for front in range(extra + 1):
                larger = self.kernel + extra
                total = (outputs - 1) * self.stride + larger - self.size
                if max(total, 0) // 2 == self.before + front:
                    return front, extra - front
        return None


def _padding_within_convolution(graph: LayerGraph) -> dict[str, list[np.ndarray]]:
    """Removes padding in front of float convolutions; returns their new weights."""
    weights = {}
    for name in graph.names():
        layer = graph.layers[name]
        if not _is_strided_float_convolution(layer):
            continue
        (source,) = graph.reads(name)
        padding = graph.layers[source]
        if not isinstance(padding, tf.keras.layers.ZeroPadding2D):
            continue
        if graph.readers(source) != [name] or graph.is_output(source):
            continue
        around = [axis.zeros_around_kernel() for axis in _axes(padding, layer)]
        zeros = [one for one in around if one is not None]
        if len(zeros) < len(around):
            continue
        kernel, *bias = _latent_weights(layer)
        weights[name] = [np.pad(kernel, [*zeros, (0, 0), (0, 0)]), *bias]
        graph.remove(source)
        graph.replace(name, _same_padded(layer, weights[name][0].shape[:2]))
    return weights


def _is_strided_float_convolution(layer: tf.keras.layers.Layer) -> bool:
    kinds = (tf.keras.layers.Conv2D, tf.keras.layers.DepthwiseConv2D)
    return (
        type(layer) in kinds
        and layer.padding == "valid"
        and layer.data_format == "channels_last"
        and tuple(layer.dilation_rate) == (1, 1)
        and max(layer.strides) > 1
    )


def _axes(
    padding: tf.keras.layers.ZeroPadding2D, layer: tf.keras.layers.Layer
) -> list[_Axis]:
    sizes = padding.input.shape[1:3]
    return [
        _Axis(size, before, after, kernel, stride)
        for size, (before, after), kernel, stride in zip(
            sizes, padding.padding, layer.kernel_size, layer.strides
        )
    ]


def _same_padded(
    layer: tf.keras.layers.Layer, kernel_size: Sequence[int]
) -> tf.keras.layers.Layer:
    config = {
        **layer.get_config(),
        "padding": "same",
        "kernel_size": tuple(map(int, kernel_size)),
    }
    return type(layer).from_config(config)
