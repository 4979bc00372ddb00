"""The layers of a model, nested models included, and which of them are binary."""

from collections.abc import Iterator
from typing import Any

import tensorflow as tf

__all__ = [
    "all_layers",
    "input_quantizer",
    "is_binary",
    "kernel_quantizers",
]

_KERNELS = ("kernel", "depthwise", "pointwise")


def all_layers(model: tf.keras.Model) -> Iterator[tf.keras.layers.Layer]:
    """The layers of a model in order; a nested model gives its own layers."""
    for layer in model.layers:
        if isinstance(layer, tf.keras.Model):
            yield from all_layers(layer)
        else:
            yield layer


def input_quantizer(layer: tf.keras.layers.Layer) -> Any:
    """The activation quantizer of a layer, or `None`."""
    return getattr(layer, "input_quantizer", None)


def kernel_quantizers(layer: tf.keras.layers.Layer) -> dict[str, Any]:
    """The quantizer of each quantized kernel of a layer, by the kernel's attribute."""
    quantizers = {}
    for stem in _KERNELS:
        quantizer = getattr(layer, f"{stem}_quantizer", None)
        if quantizer is not None:
            attribute = "kernel" if stem == "kernel" else f"{stem}_kernel"
            quantizers[attribute] = quantizer
    return quantizers


def is_binary(layer: tf.keras.layers.Layer) -> bool:
    """Whether a layer quantizes its inputs and a kernel, to whatever precision."""
    return input_quantizer(layer) is not None and bool(kernel_quantizers(layer))
