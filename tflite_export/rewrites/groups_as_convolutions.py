"""A binary convolution in groups becomes one convolution for each group.

Larq Compute Engine's default kernel rejects groups, and the converter leaves those
float whose channels do not fill words of bits.
"""

from collections.abc import Sequence
from typing import Any

import larq as lq
import numpy as np
import tensorflow as tf

from larq_irnet.graph_config import Reference
from larq_irnet.layer_graph import LayerGraph
from tflite_export.layer_walk import is_binary
from tflite_export.rewrites.candidates import (
    candidates,
    latent_weights,
    only_reader,
    reconfigured,
)
from tflite_export.rewrites.change import Change
from tflite_export.rewrites.channel_layers import acts_on_channels

__all__ = ["ChannelSplit", "groups_as_convolutions"]

Weights = dict[str, list[np.ndarray]]


@tf.keras.utils.register_keras_serializable(package="tflite_export")
class ChannelSplit(tf.keras.layers.Layer):
    """Gives the channels of its input in groups of equal size.

    # Arguments
        groups: Number of groups, which divides the channels.
    """

    def __init__(self, groups: int, **kwargs: Any):
        super().__init__(**kwargs)
        self.groups = groups

    def call(self, inputs: tf.Tensor) -> list[tf.Tensor]:
        return tf.split(inputs, self.groups, axis=-1)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "groups": self.groups}


def groups_as_convolutions(graph: LayerGraph) -> list[Change]:
    """Splits the input, convolves each group by itself, and joins the outputs.

    What scales and shifts the channels behind is split as well, so that the
    convolutions take it in.
    """
    changes = []
    for name, layer in candidates(graph):
        if not isinstance(layer, lq.layers.QuantConv2D):
            continue  # of derived ones, the groups derive from the same
        if layer.groups == 1 or not is_binary(layer):
            continue
        if layer.data_format == "channels_last":
            weights = _split_up(graph, name, layer)
            reason = f"the default kernel has no groups: {layer.groups} convolutions."
            changes.append(Change(name, reason, weights))
    return changes


def _split_up(graph: LayerGraph, name: str, layer: lq.layers.QuantConv2D) -> Weights:
    split = ChannelSplit(layer.groups, name=graph.unused(f"{name}_groups"))
    graph.add(split, graph.sources(name))
    parts: list[Reference] = [[split.name, 0, one] for one in range(layer.groups)]
    arguments = {"filters": layer.filters // layer.groups, "groups": 1}
    groups = _add_groups(graph, name, parts, **arguments)
    weights = {**groups}
    while (reader := only_reader(graph, name)) is not None:
        if not acts_on_channels(graph.layers[reader]):
            break
        groups = _add_groups(graph, reader, [[group, 0, 0] for group in groups])
        weights |= groups
        graph.remove(reader)
    joined = [[group, 0, 0] for group in groups]
    graph.replace(name, tf.keras.layers.Concatenate(axis=-1), sources=joined)
    return weights


def _add_groups(
    graph: LayerGraph, name: str, parts: Sequence[Reference], **arguments: Any
) -> Weights:
    """Adds a copy of a layer for each part of its channels; returns their weights."""
    layer = graph.layers[name]
    split = [np.split(one, len(parts), axis=-1) for one in latent_weights(layer)]
    weights = {}
    for index, part in enumerate(parts):
        group = graph.unused(f"{name}_group{index}")
        graph.add(reconfigured(layer, name=group, **arguments), [part])
        weights[group] = [one[index] for one in split]
    return weights
