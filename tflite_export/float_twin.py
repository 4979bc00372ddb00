"""The network in full precision that an exported one is measured against."""

from typing import Any

import tensorflow as tf

from tflite_export.rebuilding import rebuilt

__all__ = ["float_twin"]

_REPLACED = {
    "input_quantizer": None,
    "kernel_quantizer": None,
    "depthwise_quantizer": None,
    "pointwise_quantizer": None,
    "kernel_constraint": None,
    "depthwise_constraint": None,
    "pointwise_constraint": None,
    "pad_values": 0.0,
}


def _without_quantizers(config: Any) -> Any:
    if isinstance(config, dict):
        replaced = {key: _REPLACED[key] for key in config if key in _REPLACED}
        return {
            key: replaced[key] if key in replaced else _without_quantizers(value)
            for key, value in config.items()
        }
    if isinstance(config, (list, tuple)):
        return type(config)(_without_quantizers(item) for item in config)
    return config


def float_twin(model: tf.keras.Model) -> tf.keras.Model:
    """The same network in full precision: all quantizers removed, padded with zeros.

    What the exported model is measured against in size and speed; its weights are
    initial ones. Padding with ones is made for bits; a float convolution would need an
    operator of its own for it, and be slower than float networks are.

    # Arguments
        model: A built functional or sequential model.

    # Raises
        ExportError: if a layer cannot be rebuilt from its configuration.
    """
    return rebuilt(model, _without_quantizers(model.get_config()))
