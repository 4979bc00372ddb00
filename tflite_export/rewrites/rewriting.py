"""All rewrites, one after the other, and what they did."""

from collections.abc import Callable

import tensorflow as tf

from larq_irnet.layer_graph import LayerGraph
from tflite_export.rewrites.activations_before_signs import activations_before_signs
from tflite_export.rewrites.candidates import candidates
from tflite_export.rewrites.change import Change, Rewrite
from tflite_export.rewrites.channel_factors import channel_factors
from tflite_export.rewrites.conv1d_as_conv2d import conv1d_as_conv2d
from tflite_export.rewrites.dense_as_convolution import dense_as_convolution
from tflite_export.rewrites.folded_kernels import folded_kernels
from tflite_export.rewrites.groups_as_convolutions import groups_as_convolutions
from tflite_export.rewrites.idle_layers import idle_layers
from tflite_export.rewrites.normalization_before_pooling import (
    normalization_before_pooling,
)
from tflite_export.rewrites.padding_of_signs import padding_of_signs
from tflite_export.rewrites.padding_within_convolution import (
    padding_within_convolution,
)
from tflite_export.rewrites.signs_within_convolutions import signs_within_convolutions

__all__ = ["STAGES", "rewrite_layers"]

Rewrites = dict[str, Callable[[LayerGraph], list[Change]]]

STAGES: tuple[Rewrites, ...] = (
    # First: what follows takes kernels apart, and builds faster without quantizers.
    {"idle layer": idle_layers, "folded kernel": folded_kernels},
    {
        "padding of signs": padding_of_signs,
        "sign within convolution": signs_within_convolutions,
    },
    {
        "1-D convolution as 2-D": conv1d_as_conv2d,
        "dense as convolution": dense_as_convolution,
    },
    {"groups as convolutions": groups_as_convolutions},
    {"padding within convolution": padding_within_convolution},
    {"activation before sign": activations_before_signs},
    # Behind the removal of what may stand between a normalisation and a sign.
    {"normalisation before pooling": normalization_before_pooling},
    {"factor of channels": channel_factors},
)
"""All rewrites by name, in the order in which they are applied. Each changes a graph
and says what it changed; the model is built between stages.
"""


def rewrite_layers(model: tf.keras.Model) -> tuple[tf.keras.Model, list[Rewrite]]:
    """The same function, with the layers that Larq Compute Engine runs well or right.

    # Arguments
        model: A functional or sequential model in float32. Layers that are called
            several times stay as they are.

    # Returns
        A model that shares nothing with `model`, or, if there is nothing to rewrite,
        `model` itself; and all that was done, in order.

    # Example
        >>> inputs = tf.keras.Input((8,))
        >>> outputs = tf.keras.layers.Dropout(0.5, name="drop")(inputs)
        >>> model = tf.keras.Model(inputs, tf.keras.layers.Dense(2)(outputs))
        >>> rewritten, done = rewrite_layers(model)
        >>> [(one.layer, one.rewrite) for one in done]
        [('drop', 'idle layer')]
    """
    done: list[Rewrite] = []
    current = _of_its_own(model)
    for stage in STAGES:
        graph = LayerGraph(current, allow_shared=True)
        changes: list[Change] = []
        for name, rewrite in stage.items():
            found = rewrite(graph)
            done += [Rewrite(one.layer, name, one.reason) for one in found]
            changes += found
        if changes:
            weights = {name: one for c in changes for name, one in c.weights.items()}
            current = graph.build(transfer_weights=True, weights=weights)
    return (current if done else model), done


def _of_its_own(model: tf.keras.Model) -> tf.keras.Model:
    """The model, or a copy if other models call its layers: they see other shapes."""
    graph = LayerGraph(model, allow_shared=True)
    if all(len(layer.inbound_nodes) == 1 for _, layer in candidates(graph)):
        return model
    return graph.build(transfer_weights=True)
