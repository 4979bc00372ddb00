"""Layers that do nothing at inference are taken out, so that others become neighbours.

A dropout between a pool and a normalisation would hide the one from the other.
"""

import tensorflow as tf

from larq_irnet.layer_graph import LayerGraph
from tflite_export.layer_kind import is_a
from tflite_export.rewrites.candidates import candidates, has_linear_activation
from tflite_export.rewrites.change import Change

__all__ = ["idle_layers"]

_IDLE = (
    tf.keras.layers.ActivityRegularization,
    tf.keras.layers.AlphaDropout,
    tf.keras.layers.Dropout,
    tf.keras.layers.GaussianDropout,
    tf.keras.layers.GaussianNoise,
    tf.keras.layers.SpatialDropout1D,
    tf.keras.layers.SpatialDropout2D,
)


def idle_layers(graph: LayerGraph) -> list[Change]:
    """Removes dropout, noise and linear activations, unless a call fixes training."""
    changes = []
    for name, layer in candidates(graph):
        is_idle = type(layer) in _IDLE or (
            is_a(layer, tf.keras.layers.Activation) and has_linear_activation(layer)
        )
        if is_idle and not graph.arguments(name) and not graph.is_output(name):
            graph.remove(name)
            changes.append(Change(name, "it does nothing at inference."))
    return changes
