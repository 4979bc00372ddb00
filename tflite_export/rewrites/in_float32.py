"""A model that was trained in another precision, in float32."""

from typing import Any

import numpy as np
import tensorflow as tf

from larq_irnet.quantized_scope import quantized_scope
from tflite_export.rebuilding import rebuilt

__all__ = ["in_float32"]

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
        copy.set_weights(_without_metrics(model))
    return copy


def _without_metrics(model: tf.keras.Model) -> list[np.ndarray]:
    """The weights of a model without the state of metrics inside it."""
    state = {
        id(variable)
        for module in model.submodules
        if isinstance(module, tf.keras.metrics.Metric)
        for variable in module.variables
    }
    kept = [weight for weight in model.weights if id(weight) not in state]
    return tf.keras.backend.batch_get_value(kept)
