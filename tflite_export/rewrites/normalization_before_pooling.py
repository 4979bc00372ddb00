r"""A normalisation behind a max pool moves in front of it.

There the convolution takes it in, and if a sign follows, the pool works on bits. A max
pool and an increasing map can be exchanged. A decreasing one, a channel whose
\\(\gamma\\) is negative, turns the pool around: with \\(y = BN(x)\\)

\\[
BN(\mathrm{maxpool}(x)) = \mathrm{minpool}(y) = -\mathrm{maxpool}(-y)
\\]

So such channels are normalised with the other sign, and the kernels of the binary
convolutions that read them have the other sign there, too. That is possible only if
those pad with nothing or with zeros, which have no sign. Where a value is exactly zero
its sign is +1, and that of its opposite as well; so the opposite is lowered by the
least step there is, which makes it negative.
"""

from typing import Any

import larq as lq
import numpy as np
import tensorflow as tf

from larq_irnet.layer_graph import LayerGraph
from larq_irnet.layers import ChannelScale, LearnableBias
from tflite_export.layer_kind import is_a
from tflite_export.layer_walk import is_binary
from tflite_export.rewrites.candidates import (
    candidates,
    has_linear_activation,
    is_convolution,
    latent_weights,
    only_reader,
    reconfigured,
)
from tflite_export.rewrites.change import Change
from tflite_export.rewrites.channel_layers import acts_on_channels
from tflite_export.rewrites.sign_readers import takes_signs

__all__ = ["normalization_before_pooling"]

_SMALLEST = np.finfo(np.float32).tiny  # the least number that is not flushed to zero


def normalization_before_pooling(graph: LayerGraph) -> list[Change]:
    """Moves what acts on channels from behind a max pool to the convolution before."""
    changes: list[Change] = []
    for pool, layer in candidates(graph, tf.keras.layers.MaxPooling2D):
        if layer.data_format != "channels_last":
            continue
        while (moved := _move_one(graph, pool)) is not None:
            changes.append(moved)
    return changes


def _move_one(graph: LayerGraph, pool: str) -> Change | None:
    name = only_reader(graph, pool)
    if name is None or not _folds(graph, graph.reads(pool)[0], reader=pool):
        return None
    layer = graph.layers[name]
    if graph.is_output(name) or not acts_on_channels(layer):
        return None
    is_window = tuple(graph.layers[pool].pool_size) != (1, 1)
    decreasing = _decreasing(layer) & is_window
    weights: dict[str, list[np.ndarray]] = {}
    if decreasing.any():
        if not _can_be_turned_around(graph, name):
            return None
        layer, weights[name] = _turned_around(layer, decreasing)
        for reader in graph.readers(name):
            weights[reader] = _with_turned_inputs(graph.layers[reader], decreasing)
    graph.remove(name)
    graph.insert_before(pool, reconfigured(layer, name=name))
    reason = "the convolution takes it in, and the pool may work on bits."
    return Change(name, reason, weights)


def _folds(graph: LayerGraph, name: str, *, reader: str) -> bool:
    """Whether what follows a layer becomes part of a convolution."""
    if name in graph.shared or only_reader(graph, name) != reader:
        return False
    layer = graph.layers[name]
    if is_convolution(layer):
        return has_linear_activation(layer)
    return acts_on_channels(layer) and _folds(graph, graph.reads(name)[0], reader=name)


def _decreasing(layer: tf.keras.layers.Layer) -> np.ndarray:
    """The channels that a layer gives another sign."""
    if is_a(layer, ChannelScale):
        return layer.alpha.numpy() < 0.0
    if is_a(layer, LearnableBias) or not layer.scale:
        return np.array(False)
    return layer.gamma.numpy() < 0.0


def _can_be_turned_around(graph: LayerGraph, name: str) -> bool:
    if not is_a(graph.layers[name], tf.keras.layers.BatchNormalization):
        return False
    return all(
        reader not in graph.shared and _reads_signs_without_ones(graph.layers[reader])
        for reader in graph.readers(name)
    )


def _reads_signs_without_ones(layer: tf.keras.layers.Layer) -> bool:
    return (
        is_a(layer, lq.layers.QuantConv2D)
        and is_binary(layer)
        and isinstance(layer.kernel_quantizer, lq.quantizers.NoOp)
        and takes_signs(layer)
        and layer.groups == 1
        and (
            layer.padding == "valid"
            or layer.pad_values == 0.0
            or tuple(layer.kernel_size) == (1, 1)
        )
    )


def _turned_around(
    layer: Any, decreasing: np.ndarray
) -> tuple[tf.keras.layers.Layer, list[np.ndarray]]:
    """A normalisation that gives the opposite in some channels."""
    gamma = layer.gamma.numpy()
    beta = layer.beta.numpy() if layer.center else np.zeros_like(gamma)
    next_lower = np.nextafter(-beta, -np.inf)
    lower = np.where(np.abs(beta) < _SMALLEST, -_SMALLEST, next_lower)
    weights = [
        np.where(decreasing, -gamma, gamma),
        np.where(decreasing, lower, beta),
        layer.moving_mean.numpy(),
        layer.moving_variance.numpy(),
    ]
    return reconfigured(layer, center=True), weights


def _with_turned_inputs(
    layer: lq.layers.QuantConv2D, decreasing: np.ndarray
) -> list[np.ndarray]:
    kernel, *bias = latent_weights(layer)  # [H, W, C_in, C_out]
    signs = np.where(decreasing, -1.0, 1.0).astype(kernel.dtype)
    return [kernel * signs[:, np.newaxis], *bias]
