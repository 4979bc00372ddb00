"""The network in full precision that an exported one is measured against."""

from typing import Any

import tensorflow as tf

from tflite_export.rebuilding import rebuilt

__all__ = ["float_twin"]

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
