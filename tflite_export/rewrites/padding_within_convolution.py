"""Explicit zero padding in front of a convolution moves into its "same" padding.

Larq Compute Engine takes the one for the other, also where their borders differ, as
for the stems of networks that come from PyTorch on even sizes; zeros around a float
kernel make them equal. In front of a binary convolution, whose sign makes +1 of
zeros, padding costs an operator, and keeps the convolution in front from writing bits.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import larq as lq
import numpy as np
import tensorflow as tf

from larq_irnet.layer_graph import LayerGraph
from tflite_export.layer_kind import is_a
from tflite_export.layer_walk import is_binary
from tflite_export.rewrites.candidates import (
    candidates,
    latent_weights,
    only_reader,
    reconfigured,
)
from tflite_export.rewrites.change import Change
from tflite_export.rewrites.sign_readers import takes_signs

__all__ = ["Axis", "Padding", "axes", "padding_within_convolution"]

Padding = tuple[tuple[int, int], tuple[int, int]]
"""Rows in front and behind, columns in front and behind."""


@dataclass(frozen=True)
class Axis:
    """Padding along height or width.

    # Attributes
        size: Pixels before the padding; `None` if it is not known.
        before: Zeros in front.
        after: Zeros behind.
        kernel: Size of the kernel, its dilation included.
        stride: Of the convolution.
    """

    size: int | None
    before: int
    after: int
    kernel: int
    stride: int

    def is_as_long_as_same(self) -> bool:
        """Whether there are as many outputs as with "same" padding."""
        if self.size is None:
            return False
        padded = self.size + self.before + self.after
        outputs = (padded - self.kernel) // self.stride + 1
        return outputs == -(-self.size // self.stride)

    def zeros_around_kernel(self) -> tuple[int, int] | None:
        """Rows of zeros in front of the kernel and behind it, or `None`.

        With them, "same" padding of the larger kernel has the windows of the explicit
        padding.
        """
        if self.size is None or not self.is_as_long_as_same():
            return None
        outputs = -(-self.size // self.stride)
        for extra in range(self.kernel + 1):
            for front in range(extra + 1):
                larger = self.kernel + extra
                total = (outputs - 1) * self.stride + larger - self.size
                if max(total, 0) // 2 == self.before + front:
                    return front, extra - front
        return None


def axes(
    size: Sequence[int | None],
    padding: Padding,
    layer: tf.keras.layers.Layer,
    strides: Sequence[int] | None = None,
) -> list[Axis]:
    """Height and width of an image that is padded for a convolution.

    # Arguments
        size: Height and width before the padding.
        padding: What is put around.
        layer: The convolution.
        strides: Others than its own.
    """
    return [
        Axis(one, before, after, (kernel - 1) * dilation + 1, stride)
        for one, (before, after), kernel, dilation, stride in zip(
            size,
            padding,
            layer.kernel_size,
            layer.dilation_rate,
            strides or layer.strides,
        )
    ]


def padding_within_convolution(graph: LayerGraph) -> list[Change]:
    """Removes zero padding in front of strided float, and of binary convolutions."""
    changes = []
    for name, padding in candidates(graph, tf.keras.layers.ZeroPadding2D):
        convolution = only_reader(graph, name)
        if convolution is None or padding.data_format != "channels_last":
            continue
        layer = graph.layers[convolution]
        size = padding.input_shape[1:3]
        if _is_strided_float_convolution(layer):
            change = _with_zeros_around_kernel(
                graph, convolution, size, padding.padding
            )
        elif _takes_signs_without_padding(layer):
            change = _with_ones_around_signs(graph, convolution, size, padding.padding)
        else:
            continue
        if change is not None:
            graph.remove(name)
            changes.append(change)
    return changes


def _with_zeros_around_kernel(
    graph: LayerGraph, name: str, size: Sequence[int | None], padding: Padding
) -> Change | None:
    layer = graph.layers[name]
    around = [axis.zeros_around_kernel() for axis in axes(size, padding, layer)]
    zeros = [one for one in around if one is not None]
    if len(zeros) < len(around):
        return None
    kernel, *bias = latent_weights(layer)
    weights = [np.pad(kernel, [*zeros, (0, 0), (0, 0)]), *bias]
    kernel_size = tuple(map(int, weights[0].shape[:2]))
    graph.replace(name, reconfigured(layer, padding="same", kernel_size=kernel_size))
    reason = "the converter computes explicit padding with a stride wrongly."
    return Change(name, reason, {name: weights})


def _with_ones_around_signs(
    graph: LayerGraph, name: str, size: Sequence[int | None], padding: Padding
) -> Change | None:
    layer = graph.layers[name]
    around = [axis.zeros_around_kernel() for axis in axes(size, padding, layer)]
    if any(zeros != (0, 0) for zeros in around):
        return None
    graph.replace(name, reconfigured(layer, padding="same", pad_values=1.0))
    return Change(name, "zeros are +1 to it, which it pads with by itself.")


def _is_strided_float_convolution(layer: tf.keras.layers.Layer) -> bool:
    kinds = (tf.keras.layers.Conv2D, tf.keras.layers.DepthwiseConv2D)
    return (
        type(layer) in kinds
        and layer.padding == "valid"
        and layer.data_format == "channels_last"
        and tuple(layer.dilation_rate) == (1, 1)
        and max(layer.strides) > 1
    )


def _takes_signs_without_padding(layer: tf.keras.layers.Layer) -> bool:
    return (
        is_a(layer, lq.layers.QuantConv2D)
        and is_binary(layer)
        and layer.padding == "valid"
        and layer.data_format == "channels_last"
        and takes_signs(layer)
    )
