"""Exact rewrites of a Keras model before its conversion, one function each."""

import inspect
from typing import Any

import numpy as np
import tensorflow as tf

from larq_irnet.quantized_scope import quantized_scope
from tflite_export.findings import ExportError, Finding
from tflite_export.layer_walk import all_layers

__all__ = ["float_twin", "in_float32", "rebuilt", "weights_without_metrics"]


def _functions(model: tf.keras.Model) -> dict[str, Any]:
    """Plain functions that the layers of a model hold, such as quantizers, by name."""
    return {
        value.__name__: value
        for layer in all_layers(model)
        for value in vars(layer).values()
        if inspect.isfunction(value)
    }


def rebuilt(model: tf.keras.Model, config: dict[str, Any]) -> tf.keras.Model:
    """A model of a changed configuration, with initial weights.

    # Raises
        ExportError: if a layer cannot be made from its configuration.
    """
    try:
        with tf.keras.utils.custom_object_scope(_functions(model)):
            return type(model).from_config(config)
    except (TypeError, ValueError, KeyError, NotImplementedError) as error:
        finding = Finding(
            "error",
            model.name,
            f"it cannot be rebuilt from its configuration: {error}",
            "give custom layers a get_config, and register them with Keras.",
        )
        raise ExportError(f"Cannot rebuild model '{model.name}'", [finding]) from error


_OTHER_THAN_FLOAT32 = (
    "float16",
    "bfloat16",
    "mixed_float16",
    "mixed_bfloat16",
    "float64",
)


def _with_float32(config: Any) -> Any:
    """Replaces every nested floating type and policy of a configuration by float32."""
    if isinstance(config, dict):
        is_policy = config.get("class_name") == "Policy"
        if is_policy and config["config"]["name"] in _OTHER_THAN_FLOAT32:
            return "float32"
        return {
            key: (
                "float32"
                if key == "dtype" and value in _OTHER_THAN_FLOAT32
                else _with_float32(value)
            )
            for key, value in config.items()
        }
    if isinstance(config, (list, tuple)):
        return type(config)(_with_float32(item) for item in config)
    return config


def in_float32(model: tf.keras.Model, *, name: str | None = None) -> tf.keras.Model:
    """A copy that computes in float32 and shares nothing with other models.

    A model trained under a mixed precision policy computes in half precision, which
    TFLite converters refuse; one under a float64 policy is refused at run time. Larq's
    training metrics are not part of the copy.

    # Arguments
        model: A built functional or sequential model under any policy.
        name: Name of the copy; `None` keeps the model's.

    # Raises
        ExportError: if a layer cannot be rebuilt from its configuration.
    """
    config = _with_float32(model.get_config())
    copy = rebuilt(model, {**config, "name": name or model.name})
    with quantized_scope(False):
        copy.set_weights(weights_without_metrics(model))
    return copy


def weights_without_metrics(model: tf.keras.Model) -> list[np.ndarray]:
    """The weights of a model without the state of metrics inside it."""
    state = {
        id(variable)
        for module in model.submodules
        if isinstance(module, tf.keras.metrics.Metric)
        for variable in module.variables
    }
    kept = [weight for weight in model.weights if id(weight) not in state]
    return tf.keras.backend.batch_get_value(kept)


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

    What the exported model is measured against in size and speed; its weights are
    initial ones.

    # Arguments
        model: A built functional or sequential model.

    # Raises
        ExportError: if a layer cannot be rebuilt from its configuration.
    """
    return rebuilt(model, _without_quantizers(model.get_config()))
