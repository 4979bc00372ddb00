"""A model made again from a changed configuration."""

import inspect
from typing import Any

import tensorflow as tf

from tflite_export.findings import ExportError, Finding
from tflite_export.layer_walk import all_layers

__all__ = ["rebuilt"]


def _functions(model: tf.keras.Model) -> dict[str, Any]:
    """Plain functions that the layers of a model hold, such as quantizers, by name."""
    functions: dict[str, Any] = {}
    for layer in all_layers(model):
        for attribute, value in vars(layer).items():
            if not inspect.isfunction(value):
                continue
            known = functions.setdefault(value.__name__, value)
            if known is not value and attribute.endswith("quantizer"):
                raise _cannot_rebuild(
                    layer.name,
                    f"another layer has another function called {value.__name__!r}.",
                    "give every quantizer a name of its own.",
                )
    return functions


def _classes(model: tf.keras.Model) -> dict[str, type]:
    """Classes of layers that are not registered with Keras, by name."""
    classes = {type(layer).__name__: type(layer) for layer in all_layers(model)}
    return {
        name: kind
        for name, kind in classes.items()
        if tf.keras.utils.get_registered_name(kind) == name
        and not kind.__module__.startswith(("keras.", "tf_keras."))
    }


def rebuilt(model: tf.keras.Model, config: dict[str, Any]) -> tf.keras.Model:
    """A model of the class of another, and with the functions that its layers hold.

    # Arguments
        model: A built functional or sequential model.
        config: The configuration of the new one; its weights are initial ones.

    # Raises
        ExportError: if a layer cannot be rebuilt from its configuration.
    """
    try:
        with tf.keras.utils.custom_object_scope(_classes(model) | _functions(model)):
            return type(model).from_config(config)
    except (TypeError, ValueError, KeyError, NotImplementedError) as error:
        raise _cannot_rebuild(
            model.name,
            f"it cannot be rebuilt from its configuration: {error}",
            "give custom layers a get_config, and register them with Keras.",
        ) from error


def _cannot_rebuild(name: str, reason: str, remedy: str) -> ExportError:
    finding = Finding("error", name, reason, remedy)
    return ExportError(f"Cannot rebuild '{name}'", [finding])
