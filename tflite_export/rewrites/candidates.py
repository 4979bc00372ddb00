"""The layers that a rewrite may change, their weights, and copies that differ."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import tensorflow as tf

from larq_irnet.layer_graph import LayerGraph
from larq_irnet.quantized_scope import quantized_scope
from larq_irnet.unregistered_objects import objects_of
from tflite_export.layer_kind import is_a

__all__ = [
    "candidates",
    "has_linear_activation",
    "is_convolution",
    "latent_weights",
    "only_reader",
    "reconfigured",
]


def candidates(
    graph: LayerGraph, *kinds: type[tf.keras.layers.Layer]
) -> Iterator[tuple[str, Any]]:
    """Layers of some kinds that are called once, by name, those in front first.

    The graph may be changed meanwhile; what is put in is not among them.

    # Arguments
        graph: A graph as it was read from a model.
        kinds: Classes of layers; none for all.
    """
    for name in graph.names():
        if name not in graph.layers or name in graph.shared:
            continue
        layer = graph.layers[name]
        if not kinds or is_a(layer, kinds):
            yield name, layer


def latent_weights(layer: tf.keras.layers.Layer) -> list[np.ndarray]:
    """The weights of a layer, those of quantized kernels as they are trained."""
    with quantized_scope(False):
        return [np.asarray(value) for value in layer.get_weights()]


def reconfigured(layer: tf.keras.layers.Layer, **changes: Any) -> tf.keras.layers.Layer:
    """A new layer of the same class that differs in some of its arguments."""
    with tf.keras.utils.custom_object_scope(objects_of({layer.name: layer})):
        return type(layer).from_config({**layer.get_config(), **changes})


def only_reader(graph: LayerGraph, name: str) -> str | None:
    """The layer that takes the output of another, if it is the only one to do so.

    `None` also if the model gives that output, or if the reader is called several
    times.
    """
    readers = graph.readers(name)
    if len(readers) != 1 or graph.is_output(name) or readers[0] in graph.shared:
        return None
    return readers[0]


def is_convolution(layer: tf.keras.layers.Layer) -> bool:
    """Whether a layer is a convolution over height and width, transposed ones aside."""
    kinds = (tf.keras.layers.Conv2D, tf.keras.layers.DepthwiseConv2D)
    is_transposed = is_a(layer, tf.keras.layers.Conv2DTranspose)
    return is_a(layer, kinds) and not is_transposed


def has_linear_activation(layer: tf.keras.layers.Layer) -> bool:
    """Whether a layer has no activation of its own that changes anything."""
    activation = getattr(layer, "activation", None)
    return activation in (None, tf.keras.activations.linear)
