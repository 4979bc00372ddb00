"""Exact rewrites that leave no float operator between int8 ones.

- Each call of a shared layer gets a layer of its own: they have ranges of their own.
- Information recovery is taken apart: see `recovery_as_layers`.
- Convolutions of sequences and separable ones: see `convolutions_as_2d`.
- An activation that no operator takes in becomes a layer of its own, so that there is
  a range in front of it and one behind.
- A normalisation in front of a dense layer goes into its kernel.
- One that folds into nothing, such as behind a sum, becomes a 1x1 depthwise
  convolution with a bias: one operator in place of a product and a sum.
"""

import numpy as np
import tensorflow as tf

from larq_irnet.layer_graph import LayerGraph
from tflite_export.convolutions_as_2d import convolutions_as_2d
from tflite_export.layer_kind import is_a
from tflite_export.layer_walk import kernel_quantizers
from tflite_export.quantization_points import (
    FOLDING,
    activation_name,
    only_reader,
    weighted_behind,
)
from tflite_export.recovery_as_layers import recovery_as_layers

__all__ = ["without_float_operators"]


def without_float_operators(model: tf.keras.Model) -> tf.keras.Model:
    """The same function, in layers that can all be computed in int8.

    # Arguments
        model: A functional or sequential model in float32.
    """
    model = convolutions_as_2d(recovery_as_layers(_with_separate_calls(model)))
    graph = LayerGraph(model)
    weights = {
        **_normalization_within_dense(graph),
        **_normalization_as_convolution(graph),
    }
    _set_activations_apart(graph)
    return graph.build(transfer_weights=True, weights=weights)


def _with_separate_calls(model: tf.keras.Model) -> tf.keras.Model:
    graph = LayerGraph(model, allow_shared=True)
    if not graph.shared:
        return model
    graph.separate_calls()
    return graph.build(transfer_weights=True)


def _set_activations_apart(graph: LayerGraph) -> None:
    for name in graph.names():
        layer = graph.layers[name]
        if not _has_activation_of_its_own(layer):
            continue
        config = {**layer.get_config(), "activation": "linear"}
        apart = tf.keras.layers.Activation(
            layer.activation, name=graph.unused(f"{name}_activation")
        )
        graph.replace(name, type(layer).from_config(config))
        graph.insert(name, apart)


def _has_activation_of_its_own(layer: tf.keras.layers.Layer) -> bool:
    kinds = (
        tf.keras.layers.Conv2D,
        tf.keras.layers.Dense,
        tf.keras.layers.DepthwiseConv2D,
    )
    return is_a(layer, kinds) and activation_name(layer) not in (
        "linear",
        *FOLDING,
    )


def _scale_and_shift(
    layer: tf.keras.layers.BatchNormalization,
) -> tuple[np.ndarray, np.ndarray]:
    """Of a normalisation in inference, [C] each."""
    mean, variance = layer.moving_mean.numpy(), layer.moving_variance.numpy()
    scale = 1.0 / np.sqrt(variance.astype(np.float64) + layer.epsilon)
    if layer.scale:
        scale *= layer.gamma.numpy()
    shift = -mean * scale
    if layer.center:
        shift += layer.beta.numpy()
    return scale, shift


def _is_normalization(layer: tf.keras.layers.Layer) -> bool:
    if not is_a(layer, tf.keras.layers.BatchNormalization):
        return False
    rank = len(layer.input.shape)
    axes = [layer.axis] if isinstance(layer.axis, int) else list(layer.axis)
    return [axis % rank for axis in axes] == [rank - 1]


def _normalization_within_dense(graph: LayerGraph) -> dict[str, list[np.ndarray]]:
    """Removes normalisations in front of float dense layers; returns their weights."""
    weights = {}
    for name in graph.names():
        layer = graph.layers[name]
        if not is_a(layer, tf.keras.layers.Dense) or kernel_quantizers(layer):
            continue
        (source,) = graph.reads(name)
        normalization = graph.layers[source]
        if not _is_normalization(normalization):
            continue
        if only_reader(graph, source) != name:
            continue
        scale, shift = _scale_and_shift(normalization)
        kernel, *bias = (np.asarray(value) for value in layer.get_weights())
        weights[name] = [
            (kernel * scale[:, np.newaxis]).astype(np.float32),
            (shift @ kernel + sum(bias)).astype(np.float32),
        ]
        graph.remove(source)
        config = {**layer.get_config(), "use_bias": True}
        graph.replace(name, type(layer).from_config(config))
    return weights


def _normalization_as_convolution(graph: LayerGraph) -> dict[str, list[np.ndarray]]:
    """Replaces normalisations that nothing takes in; returns their new weights."""
    weights = {}
    for name in graph.names():
        layer = graph.layers[name]
        if not _is_normalization(layer) or len(layer.input.shape) != 4:
            continue
        if weighted_behind(graph, name) is not None:
            continue
        scale, shift = _scale_and_shift(layer)
        weights[name] = [
            scale.astype(np.float32).reshape(1, 1, -1, 1),
            shift.astype(np.float32),
        ]
        graph.replace(name, tf.keras.layers.DepthwiseConv2D(1, name=name))
    return weights
