"""The layers of a functional model and what connects them, to be changed."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from larq_irnet.functional_model import is_functional
from larq_irnet.graph_config import (
    Reference,
    flat_config,
    pointing,
    redirected,
    references,
    without_fixed_inference,
)
from larq_irnet.quantized_scope import quantized_scope
from larq_irnet.unregistered_objects import objects_of, without_code

__all__ = ["LayerGraph", "shared_layers"]


def shared_layers(model: tf.keras.Model) -> list[str]:
    """The layers of a functional or sequential model that are called several times."""
    return _called_several_times(*flat_config(model))


def _called_several_times(
    config: Mapping[str, Any], layers: Mapping[str, tf.keras.layers.Layer]
) -> list[str]:
    places = Counter(map(id, layers.values()))  # also in a model within the model
    return [
        entry["name"]
        for entry in config["layers"]
        if len(entry["inbound_nodes"]) > 1 or places[id(layers[entry["name"]])] > 1
    ]


class LayerGraph:
    """A copy of a model's layers that can be replaced, put in, and built again.

    Layers are known by their names. Models within the model are taken apart: their
    layers are layers like any other. Those that are put in have one input and one
    output, unless told otherwise.

    # Arguments
        model: A built functional or sequential model.
        allow_shared: Whether layers may be called several times. They stay as they are:
            `shared` names them, and only the others may be changed.

    # Attributes
        shared: The layers that are called several times.

    # Raises
        ValueError: for a model that is not functional and, unless they are allowed,
            for layers that are called several times.
    """

    def __init__(self, model: tf.keras.Model, *, allow_shared: bool = False):
        if not is_functional(model):
            name = getattr(model, "name", model)
            raise ValueError(
                "Expected a built functional or sequential Keras model, got "
                f"{type(model).__name__} {name!r}: the layers of a subclassed "
                "model and what connects them are not known. Rebuild it with "
                "tf.keras.Input and tf.keras.Model."
            )
        self.name = model.name
        self._config, self._originals = flat_config(model)
        self.layers = {**self._originals}
        self._entries = {entry["name"]: entry for entry in self._config["layers"]}
        self.shared = _called_several_times(self._config, self.layers)
        if self.shared and not allow_shared:
            raise ValueError(
                f"Expected every layer of {self.name!r} to be called once, got "
                f"{self.shared}, which are shared: their calls see different data, and "
                "cannot be changed one by one. Make a layer for each call."
            )

    def names(self) -> list[str]:
        """The layers, inputs first, each behind what it reads."""
        return [*self._entries]

    def sources(self, name: str) -> list[Reference]:
        """The outputs of layers that a layer takes, in order."""
        return [*references(self._entries[name]["inbound_nodes"])]

    def reads(self, name: str) -> list[str]:
        """The layers whose outputs a layer takes, in order."""
        return [source[0] for source in self.sources(name)]

    def arguments(self, name: str) -> dict[str, Any]:
        """What the call of a layer takes beside its first input, by name."""
        for call in self._entries[name]["inbound_nodes"]:
            first = call[0] if isinstance(call[0], (list, tuple)) else call
            return dict(first[3]) if len(first) > 3 else {}
        return {}

    def readers(self, name: str) -> list[str]:
        """The layers that take the output of a layer."""
        return [other for other in self._entries if name in self.reads(other)]

    def is_output(self, name: str) -> bool:
        """Whether the model gives the output of a layer."""
        outputs = self._config["output_layers"]
        return any(reference[0] == name for reference in references(outputs))

    def unused(self, name: str) -> str:
        """A name for a new layer, with a number if there is such a layer already."""
        number, free = 1, name
        while free in self._entries:
            number += 1
            free = f"{name}_{number}"
        return free

    def replace(
        self,
        name: str,
        layer: tf.keras.layers.Layer,
        *,
        sources: Sequence[Reference] | None = None,
    ) -> None:
        """Puts a layer in the place of another, whose name it takes.

        # Arguments
            name: The layer that goes.
            layer: The layer that comes.
            sources: The outputs that it takes, of layers in front of that place; `None`
                for those that the other took.
        """
        self._entries[name] = _entry(layer, name, sources or self.sources(name))
        self.layers[name] = layer

    def add(self, layer: tf.keras.layers.Layer, sources: Sequence[Reference]) -> str:
        """Puts in a layer that no other reads yet.

        # Returns
            The name of the new layer.

        # Raises
            ValueError: if there is a layer of this name.
        """
        self._check_is_free(layer.name)
        return self._put(layer, sources)

    def remove(self, name: str) -> None:
        """Takes out a layer of one input; its readers read what it has read."""
        (source,) = self.sources(name)
        self._redirect(name, source)
        del self._entries[name], self.layers[name]

    def insert(
        self,
        after: str,
        layer: tf.keras.layers.Layer,
        *,
        also: Sequence[Reference] = (),
    ) -> str:
        """Puts a layer behind another of one output, whose readers read the new one.

        # Arguments
            after: The layer whose output it takes.
            layer: Its name is not in use.
            also: Further outputs that it takes, such as those of `sources`.

        # Returns
            The name of the new layer.

        # Raises
            ValueError: if there is a layer of this name.
        """
        self._check_is_free(layer.name)
        self._redirect(after, layer.name)
        return self._put(layer, [[after, 0, 0], *also])

    def insert_before(self, before: str, layer: tf.keras.layers.Layer) -> str:
        """Puts a layer between another and the only output that this one takes.

        # Returns
            The name of the new layer.

        # Raises
            ValueError: if there is a layer of this name.
        """
        self._check_is_free(layer.name)
        (source,) = self.sources(before)
        name = self._put(layer, [source])
        entry = self._entries[before]
        inbound = pointing(entry["inbound_nodes"], source[0], name)
        self._entries[before] = {**entry, "inbound_nodes": inbound}
        return name

    def _check_is_free(self, name: str) -> None:
        if name in self._entries:
            raise ValueError(
                f"Expected a `name` that no layer of {self.name!r} has, got {name!r}."
            )

    def _put(self, layer: tf.keras.layers.Layer, sources: Sequence[Reference]) -> str:
        name = str(layer.name)
        entries = [*self._entries.items()]
        place = max(self.names().index(source[0]) for source in sources) + 1
        entries.insert(place, (name, _entry(layer, name, sources)))
        self._entries = dict(entries)
        self.layers[name] = layer
        return name

    def separate_calls(self) -> None:
        """Gives each call of a shared layer a layer of its own, of the same weights."""
        names: dict[tuple[str, int], str] = {}
        for name, entry in self._entries.items():
            for call in range(1, len(entry["inbound_nodes"])):
                free = f"{name}_call{call}"
                while free in self._entries or free in names.values():
                    free = f"{free}_"
                names[name, call] = free

        def separated(reference: Reference) -> Reference:
            name, call, output = reference
            own = names.get((name, call))
            return reference if own is None else [own, 0, output]

        entries: dict[str, dict[str, Any]] = {}
        for name, entry in self._entries.items():
            calls = redirected(entry["inbound_nodes"], separated)
            entries[name] = {**entry, "inbound_nodes": calls[:1]}
            for number, call in enumerate(calls[1:], start=1):
                own = names[name, number]
                config = {**entry["config"], "name": own}
                entries[own] = {
                    **entry,
                    "name": own,
                    "config": config,
                    "inbound_nodes": [call],
                }
                self.layers[own] = self._originals[own] = self._originals[name]
        outputs = redirected(self._config["output_layers"], separated)
        self._config["output_layers"] = outputs
        self._entries = _in_order(entries)
        self.shared = []

    def free_training(self) -> None:
        """Lets layers whose calls fix `training=False` follow the mode of the model."""
        for name, entry in self._entries.items():
            inbound = without_fixed_inference(entry["inbound_nodes"])
            self._entries[name] = {**entry, "inbound_nodes": inbound}

    def _redirect(self, source: str, target: str | Reference) -> None:
        for name, entry in self._entries.items():
            inbound = pointing(entry["inbound_nodes"], source, target)
            self._entries[name] = {**entry, "inbound_nodes": inbound}
        outputs = self._config["output_layers"]
        self._config["output_layers"] = pointing(outputs, source, target)

    def build(
        self,
        *,
        transfer_weights: bool,
        weights: Mapping[str, Sequence[np.ndarray]] = {},
    ) -> tf.keras.Model:
        """The changed model, which shares nothing with the one that was copied.

        # Arguments
            transfer_weights: Whether layers of the same name and shapes as in the
                model that was copied have its weights; otherwise they are initial ones,
                but for what is never trained, such as the statistics of the data.
            weights: Latent weights of some layers, by name, in place of those.
        """
        layers = [without_code(entry) for entry in self._entries.values()]
        config = {**self._config, "layers": layers}
        with tf.keras.utils.custom_object_scope(objects_of(self.layers)):
            model = tf.keras.Model.from_config(config)
        _copy_weights(self._originals, model, all_of_them=transfer_weights)
        with quantized_scope(False):
            for name, values in weights.items():
                model.get_layer(name).set_weights(values)
        return model


def _in_order(entries: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Each behind what it reads, otherwise as they were."""
    placed: dict[str, dict[str, Any]] = {}
    left = {**entries}
    while left:
        for name, entry in left.items():
            reads = references(entry["inbound_nodes"])
            if all(source[0] in placed for source in reads):
                placed[name] = left.pop(name)
                break
        else:
            raise AssertionError("layers that read each other in a circle")
    return placed


def _entry(
    layer: tf.keras.layers.Layer, name: str, sources: Sequence[Reference]
) -> dict[str, Any]:
    serialized = tf.keras.utils.serialize_keras_object(layer)
    config = {**serialized["config"], "name": name}
    call = [[*source, {}] for source in sources]
    return {**serialized, "config": config, "name": name, "inbound_nodes": [call]}


def _copy_weights(
    sources: Mapping[str, tf.keras.layers.Layer],
    target: tf.keras.Model,
    *,
    all_of_them: bool,
) -> None:
    """The latent weights of layers of the same name, or those that are not trained."""
    with quantized_scope(False):
        for layer in target.layers:
            source = sources.get(layer.name)
            if source is None or not _same_weights(source, layer):
                continue
            if all_of_them or not any(weight.trainable for weight in source.weights):
                layer.set_weights(source.get_weights())


def _same_weights(one: tf.keras.layers.Layer, other: tf.keras.layers.Layer) -> bool:
    shapes = [[weight.shape for weight in each.weights] for each in (one, other)]
    return bool(shapes[0] == shapes[1])
