"""Kernels as the numbers that a network computes with, and no quantizers any more.

The converter is to find constants. From latent weights it gets there by folding what a
quantizer computes, within limits: results of more than 1 MiB that are larger than what
they are made from, and operands of more than 128 MiB, stay in the graph, and the layer
float. Of constants nothing has to be folded, and conversion does not take minutes.
"""

from typing import Any

import larq as lq
import tensorflow as tf

from larq_irnet.quantized_scope import quantized_scope
from tflite_export.rewrite import rebuilt, weights_without_metrics

__all__ = ["FoldedKernel", "with_folded_kernels"]

_KERNEL_QUANTIZERS = ("kernel_quantizer", "depthwise_quantizer", "pointwise_quantizer")
_CONSTRAINTS = ("kernel_constraint", "depthwise_constraint", "pointwise_constraint")


@tf.keras.utils.register_keras_serializable(package="tflite_export")
class FoldedKernel(lq.quantizers.Quantizer):
    """The quantizer of a kernel that holds quantized values already: it changes none.

    # Example
        >>> FoldedKernel()(tf.constant([0.5, -0.5])).numpy()
        array([ 0.5, -0.5], dtype=float32)
    """

    precision = 1

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        return inputs


def with_folded_kernels(model: tf.keras.Model) -> tf.keras.Model:
    """The same function for inference, with quantized values for weights.

    # Arguments
        model: A functional or sequential model in float32.

    # Returns
        A model that shares nothing with `model`, with layers of the same names.

    # Raises
        ExportError: if a layer cannot be rebuilt from its configuration.
    """
    folded = rebuilt(model, _with_folded(model.get_config()))
    with quantized_scope(True):
        values = weights_without_metrics(model)
    with quantized_scope(False):
        folded.set_weights(values)
    return folded


def _with_folded(config: Any) -> Any:
    if isinstance(config, dict):
        return {key: _folded_entry(key, value) for key, value in config.items()}
    if isinstance(config, (list, tuple)):
        return type(config)(_with_folded(item) for item in config)
    return config


def _folded_entry(key: str, value: Any) -> Any:
    if value is not None and key in _KERNEL_QUANTIZERS:
        return tf.keras.utils.serialize_keras_object(FoldedKernel())
    if key in _CONSTRAINTS:
        return None
    return _with_folded(value)
