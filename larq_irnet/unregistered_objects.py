"""Layers made again from configurations, also those that Keras does not know."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import tensorflow as tf

__all__ = ["objects_of", "without_code"]


_LAMBDA = "LambdaOfThisProcess"


def objects_of(layers: Mapping[str, tf.keras.layers.Layer]) -> dict[str, Any]:
    """What Keras needs to know to make layers again that are not registered.

    # Arguments
        layers: By the names that they get.

    # Raises
        ValueError: for activations and quantizers that their names do not tell.
    """
    known: dict[str, Any] = {}
    for layer in layers.values():
        for one in (layer, *layer.submodules):
            known.setdefault(type(one).__name__, type(one))
        for function in _functions(layer):
            _add_function(known, function, layer)
    return {**known, _LAMBDA: _lambda_class(layers)}


def without_code(entry: dict[str, Any]) -> dict[str, Any]:
    """The entry of a layer, in which `objects_of` says how to make a `Lambda` again.

    Keras would run code out of the configuration, and does so only if told.
    """
    if entry["class_name"] != "Lambda":
        return entry
    kind = {"module": None, "class_name": _LAMBDA, "registered_name": _LAMBDA}
    return {**entry, **kind}


def _functions(layer: tf.keras.layers.Layer) -> list[Callable[..., Any]]:
    """Activations and quantizers that are plain functions, unknown to Keras."""
    held = [
        value
        for attribute, value in vars(layer).items()
        if attribute == "activation" or attribute.endswith("_quantizer")
    ]
    return [
        value
        for value in held
        if inspect.isfunction(value) and not _keras_knows(value.__name__)
    ]


def _keras_knows(activation: str) -> bool:
    try:
        tf.keras.activations.get(activation)
    except ValueError:
        return False
    return True


def _add_function(
    known: dict[str, Any], function: Callable[..., Any], layer: tf.keras.layers.Layer
) -> None:
    name = function.__name__
    if name == "<lambda>" or known.setdefault(name, function) is not function:
        raise ValueError(
            "Expected activations and quantizers that are known by their names, got "
            f"another one called {name!r} in {layer.name!r}. Define it as a function "
            "of a name of its own."
        )


def _lambda_class(layers: Mapping[str, tf.keras.layers.Layer]) -> type:
    """Makes `Lambda` layers again from their functions, by name."""

    class LambdaOfThisProcess:
        @classmethod
        def from_config(
            cls, config: dict[str, Any], custom_objects: Any = None
        ) -> tf.keras.layers.Lambda:
            layer = layers[config["name"]]
            return tf.keras.layers.Lambda(
                layer.function,
                mask=layer.mask,
                arguments=layer.arguments,
                name=config["name"],
                dtype=layer.dtype_policy,
            )

    return LambdaOfThisProcess
