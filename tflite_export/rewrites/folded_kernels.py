"""Kernels are quantized before the conversion, not by it.

The converter computes quantized kernels by constant folding, which has limits: a
kernel quantizer by way of booleans does not fold beyond 1 MiB, nor a scaled kernel
beyond 128 MiB, and the layer is silently quantized at run time, or float. Some
quantizers even crash it. With the quantized values as weights there is nothing left to
fold, and what follows may take kernels apart that a quantizer would see as a whole.
"""

from typing import Any

import larq as lq
import numpy as np
import tensorflow as tf

from larq_irnet.layer_graph import LayerGraph
from larq_irnet.quantized_scope import quantized_scope
from tflite_export.layer_walk import kernel_quantizers
from tflite_export.rewrites.candidates import candidates, reconfigured
from tflite_export.rewrites.change import Change

__all__ = ["folded_kernels"]


def folded_kernels(graph: LayerGraph) -> list[Change]:
    """Gives layers their quantized kernels as weights, and a quantizer that keeps them.

    That is Larq's `NoOp`, its marker for weights that are quantized.
    """
    changes = []
    for name, layer in candidates(graph):
        quantizers = kernel_quantizers(layer)
        if all(
            isinstance(one, lq.quantizers.NoOp) and not _computes(one)
            for one in quantizers.values()
        ):
            continue
        weights = {name: _quantized_weights(layer)}
        graph.replace(name, _with_kept_kernels(layer, quantizers))
        changes.append(Change(name, "its quantized kernel is stored.", weights))
    return changes


def _computes(quantizer: lq.quantizers.NoOp) -> bool:
    """Whether a subclass of `NoOp` does something."""
    return type(quantizer) is not lq.quantizers.NoOp


def _quantized_weights(layer: tf.keras.layers.Layer) -> list[np.ndarray]:
    with quantized_scope(True):
        return [np.asarray(value) for value in layer.get_weights()]


def _with_kept_kernels(
    layer: tf.keras.layers.Layer, quantizers: dict[str, Any]
) -> tf.keras.layers.Layer:
    changes = {}
    for kernel, quantizer in quantizers.items():
        stem = "kernel" if kernel == "kernel" else kernel.removesuffix("_kernel")
        precision = getattr(quantizer, "precision", None)
        changes[f"{stem}_quantizer"] = lq.quantizers.NoOp(precision=precision)
        changes[f"{stem}_constraint"] = None
    return reconfigured(layer, **changes)
