"""Exact rewrites of a Keras model before its conversion, one function each."""

from typing import Any

import larq as lq
import tensorflow as tf

from tflite_export.layer_walk import all_layers

__all__ = ["float_twin", "in_float32"]


def _rebuilt(model: tf.keras.Model, config: dict[str, Any]) -> tf.keras.Model:
    """A model from a changed configuration, with the weights of the old one."""
    twin = type(model).from_config(config)
    with lq.context.quantized_scope(False):
        twin.set_weights(model.get_weights())
    return twin


_HALF = ("float16", "bfloat16", "mixed_float16", "mixed_bfloat16")


def _without_mixed_precision(config: Any) -> Any:
    """Replaces every nested half or mixed precision of a configuration by float32."""
    if isinstance(config, dict):
        if config.get("class_name") == "Policy" and config["config"]["name"] in _HALF:
            return "float32"
        return {
            key: (
                "float32"
                if key == "dtype" and value in _HALF
                else _without_mixed_precision(value)
            )
            for key, value in config.items()
        }
    if isinstance(config, (list, tuple)):
        return type(config)(_without_mixed_precision(item) for item in config)
    return config


def in_float32(model: tf.keras.Model) -> tf.keras.Model:
    """The same model with float32 computations; the model itself if it has them.

    A model trained under a mixed precision policy computes in half precision, which
    TFLite converters refuse. Its weights are float32 already.

    # Arguments
        model: A built functional or sequential model under any policy.
    """
    if not any(layer.compute_dtype in _HALF for layer in all_layers(model)):
        return model
    return _rebuilt(model, _without_mixed_precision(model.get_config()))


_QUANTIZING = (
    "input_quantizer",
    "kernel_quantizer",
    "depthwise_quantizer",
    "pointwise_quantizer",
    "kernel_constraint",
    "depthwise_constraint",
    "pointwise_constraint",
)


def _without_quantizers(config: Any) -> Any:
    if isinstance(config, dict):
        return {
            key: None if key in _QUANTIZING else _without_quantizers(value)
            for key, value in config.items()
        }
    if isinstance(config, (list, tuple)):
        return type(config)(_without_quantizers(item) for item in config)
    return config


def float_twin(model: tf.keras.Model) -> tf.keras.Model:
    """The same network in full precision: all quantizers removed.

    What the exported model is measured against in size and speed. It carries the latent
    weights and is not meant to be accurate.

    # Arguments
        model: A built functional or sequential model.
    """
    return _rebuilt(model, _without_quantizers(model.get_config()))
