"""Configurations of functional models: references between layers, models in models."""

import inspect
import warnings
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any

import tensorflow as tf

from larq_irnet.functional_model import is_functional

__all__ = [
    "Reference",
    "flat_config",
    "pointing",
    "redirected",
    "references",
    "without_fixed_inference",
]

# A reference of Keras' configurations: [name of a layer, number of its call, number of
# the output], followed by the further arguments of the call.
Reference = list[Any]


def references(value: Any) -> Iterator[Reference]:
    """All references within a part of a configuration, without further arguments."""
    if isinstance(value, dict):
        value = [*value.values()]
    if not isinstance(value, (list, tuple)):
        return
    if _is_reference(value):
        yield [*value[:3]]
        value = value[3:]
    for one in value:
        yield from references(one)


def _is_reference(value: Sequence[Any]) -> bool:
    return (
        len(value) >= 3
        and isinstance(value[0], str)
        and all(type(number) is int for number in value[1:3])
    )


def redirected(value: Any, change: Callable[[Reference], Reference]) -> Any:
    """A part of a configuration with other references.

    # Arguments
        value: As for `pointing`.
        change: Gives for each reference the one that takes its place.
    """
    if isinstance(value, dict):
        return {key: redirected(one, change) for key, one in value.items()}
    if not isinstance(value, (list, tuple)):
        return value
    if _is_reference(value):
        arguments = [redirected(one, change) for one in value[3:]]
        return [*change([*value[:3]]), *arguments]
    return [redirected(one, change) for one in value]


def pointing(value: Any, source: str, target: str | Reference) -> Any:
    """A part of a configuration whose references to one layer lead to another.

    # Arguments
        value: Such as the `inbound_nodes` of a layer or the `output_layers` of a model.
        source: Name of the layer that is referred to.
        target: What is referred to instead: a reference, or the name of a layer, whose
            first output is.
    """
    other = [target, 0, 0] if isinstance(target, str) else target

    def change(reference: Reference) -> Reference:
        return other if reference[0] == source else reference

    return redirected(value, change)


def without_fixed_inference(value: Any) -> Any:
    """A part of a configuration without the `training=False` of calls."""
    if isinstance(value, dict):
        return {
            key: without_fixed_inference(one)
            for key, one in value.items()
            if not (key == "training" and one is False)
        }
    if isinstance(value, (list, tuple)):
        return [without_fixed_inference(one) for one in value]
    return value


def flat_config(
    model: tf.keras.Model,
) -> tuple[dict[str, Any], dict[str, tf.keras.layers.Layer]]:
    """The configuration of a model with the layers of models in it in their places.

    Layers keep their names, behind that of the inner model where another layer has the
    same. Dictionaries and lists of inputs and outputs stay what they are. An inner
    model that is called several times, or whose call takes more than tensors, stays one
    layer. A `training` that its call fixes is passed on to those of its layers that
    take one.

    # Arguments
        model: A built functional or sequential model.

    # Returns
        The configuration of a functional model of the same function, and the layers of
        `model` by their names in it.
    """
    plain = tf.keras.Model(model.input, model.output, name=model.name)
    with warnings.catch_warnings():  # nothing is written to a file here
        warnings.filterwarnings("ignore", "The object being serialized includes a `la")
        config = dict(plain.get_config())
    originals = {layer.name: layer for layer in plain.layers}
    entries: list[dict[str, Any]] = []
    layers: dict[str, tf.keras.layers.Layer] = {}
    places: dict[tuple[str, int], Reference] = {}  # the outputs of inner models

    def placed(reference: Reference) -> Reference:
        return places.get((reference[0], reference[2]), reference)

    for entry in config["layers"]:  # each behind what it reads
        name = entry["name"]
        entry = {**entry, "inbound_nodes": redirected(entry["inbound_nodes"], placed)}
        if not _can_be_taken_apart(originals[name], entry):
            entries.append(entry)
            layers[name] = originals[name]
            continue
        inner, outputs = _taken_apart(originals[name], entry, {*originals, *layers})
        entries += [one for one, _ in inner]
        layers.update((one["name"], layer) for one, layer in inner)
        places.update(((name, index), one) for index, one in enumerate(outputs))
    outer_outputs = redirected(config["output_layers"], placed)
    return {**config, "layers": entries, "output_layers": outer_outputs}, layers


def _can_be_taken_apart(layer: tf.keras.layers.Layer, entry: dict[str, Any]) -> bool:
    """Whether a layer is a model, called once with tensors and at most a `training`."""
    if not is_functional(layer) or len(entry["inbound_nodes"]) != 1:
        return False
    (call,) = entry["inbound_nodes"]
    return isinstance(call, list) and all(
        isinstance(one, list) and _is_reference(one) and _fixes_training_only(one)
        for one in call
    )


def _fixes_training_only(reference: Reference) -> bool:
    arguments = reference[3] if len(reference) > 3 else {}
    return {*arguments} <= {"training"} and not any(references(arguments))


def _taken_apart(
    model: tf.keras.Model, entry: dict[str, Any], taken: set[str]
) -> tuple[list[tuple[dict[str, Any], tf.keras.layers.Layer]], list[Reference]]:
    """The entries of an inner model with their layers, and where its outputs are."""
    config, layers = flat_config(tf.keras.Model(model.inputs, model.outputs))
    (call,) = entry["inbound_nodes"]
    inputs = [name for name, *_ in references(config["input_layers"])]
    sources = dict(zip(inputs, ([*one[:3]] for one in call)))
    arguments = call[0][3] if len(call[0]) > 3 else {}
    names = _free_names(layers, taken, prefix=model.name)

    def connected(reference: Reference) -> Reference:
        name, *numbers = reference
        return sources.get(name, [names[name], *numbers])

    inner = []
    for one in config["layers"]:
        if one["name"] in sources:
            continue
        layer, name = layers[one["name"]], names[one["name"]]
        inbound = redirected(one["inbound_nodes"], connected)
        if "training" in inspect.signature(layer.call).parameters:
            inbound = [_with_arguments(each, arguments) for each in inbound]
        own = {**one["config"], "name": name}
        inner.append(
            ({**one, "name": name, "config": own, "inbound_nodes": inbound}, layer)
        )
    return inner, [connected(one) for one in references(config["output_layers"])]


def _free_names(
    names: Collection[str], taken: set[str], *, prefix: str
) -> dict[str, str]:
    """For each name one that is not taken, and that no other name has."""
    free: dict[str, str] = {}
    unavailable = taken | {*names}
    for name in names:
        candidate = name
        if name in taken:
            while candidate in unavailable:
                candidate = f"{prefix}_{candidate}"
        unavailable.add(candidate)
        free[name] = candidate
    return free


def _with_arguments(call: Any, arguments: dict[str, Any]) -> Any:
    """A call with further arguments, unless it fixes them itself."""
    if not (arguments and isinstance(call, list)):
        return call
    return [
        [*one[:3], {**arguments, **(one[3] if len(one) > 3 else {})}] for one in call
    ]
