"""Layers that look at nothing but the sign of what they read."""

from typing import Any

import larq as lq
import numpy as np
import tensorflow as tf

from larq_irnet.layer_graph import LayerGraph
from tflite_export.layer_kind import is_a
from tflite_export.layer_walk import input_quantizer

__all__ = [
    "is_sign",
    "only_signs_are_read",
    "preserves_signs",
    "sign_of_its_own",
    "takes_signs",
]

# Without symmetry, so that a quantizer which subtracts a mean is told from a sign.
_PROBE = np.array(
    [-300.0, -7.0, -1.0, -0.3, -1e-3, -1e-30, 0.0, 1e-30, 1e-5, 0.2, 1.0, 2.0, 5e3],
    dtype=np.float32,
)

# Layers whose outputs have the signs of inputs: the largest of some values is negative
# if all of them are.
_PASSING = (
    tf.keras.layers.Concatenate,
    tf.keras.layers.Cropping1D,
    tf.keras.layers.Cropping2D,
    tf.keras.layers.Flatten,
    tf.keras.layers.GlobalMaxPooling1D,
    tf.keras.layers.GlobalMaxPooling2D,
    tf.keras.layers.MaxPooling1D,
    tf.keras.layers.MaxPooling2D,
    tf.keras.layers.Permute,
    tf.keras.layers.RepeatVector,
    tf.keras.layers.Reshape,
    tf.keras.layers.ZeroPadding1D,
    tf.keras.layers.ZeroPadding2D,
)
_PRESERVING = (
    lq.activations.hard_tanh,
    lq.activations.leaky_tanh,
    tf.keras.activations.softsign,
    tf.keras.activations.tanh,
    tf.nn.softsign,
    tf.nn.tanh,
)


def is_sign(quantizer: Any, input_shape: tuple[int | None, ...]) -> bool:
    """Whether a quantizer gives -1 for negative numbers and +1 for all others.

    # Arguments
        quantizer: A function, or a quantizer of Larq.
        input_shape: Of the layer that it belongs to.

    # Example
        >>> is_sign(lq.quantizers.SteSign(), (None, 3))
        True
        >>> is_sign(lq.quantizers.SteTern(), (None, 3))
        False
    """
    *between, channels = input_shape[1:]
    shape = (_PROBE.size, *[1] * len(between), 1)
    x = np.repeat(_PROBE.reshape(shape), int(channels or 1), axis=-1)
    signs = np.where(x < 0.0, -1.0, 1.0)
    return np.array_equal(tf.convert_to_tensor(quantizer(tf.constant(x))), signs)


def takes_signs(layer: tf.keras.layers.Layer) -> bool:
    """Whether a layer quantizes its input to the sign before anything else."""
    quantizer = input_quantizer(layer)
    return quantizer is not None and is_sign(quantizer, layer.get_input_shape_at(0))


def sign_of_its_own(layer: tf.keras.layers.Layer) -> Any:
    """The quantizer of a layer that takes signs and does nothing else, or `None`."""
    is_activation = is_a(layer, tf.keras.layers.Activation)
    quantizer = layer.activation if is_activation else layer
    if getattr(quantizer, "precision", None) != 1:
        return None
    return quantizer if is_sign(quantizer, layer.get_input_shape_at(0)) else None


def preserves_signs(activation: Any) -> bool:
    """Whether an activation function keeps every sign, and zero at zero.

    # Example
        >>> preserves_signs(lq.activations.hard_tanh), preserves_signs(tf.nn.relu)
        (True, False)
    """
    return any(activation is one for one in _PRESERVING)


def only_signs_are_read(graph: LayerGraph, name: str) -> bool:
    """Whether nothing but the signs of a layer's outputs matters to the model."""
    readers = graph.readers(name)
    if graph.is_output(name) or not readers:
        return False
    return all(
        takes_signs(layer)
        or (is_a(layer, _PASSING) and only_signs_are_read(graph, reader))
        for reader, layer in ((reader, graph.layers[reader]) for reader in readers)
    )
