"""The layers of a functional model and what connects them, to be changed."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import tensorflow as tf

from larq_irnet.functional_model import is_functional
from larq_irnet.graph_config import (
    flat_config,
    pointing,
    references,
    without_fixed_inference,
)
from larq_irnet.quantized_scope import quantized_scope

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
        model: A built functional or sequential model in which no layer is called
            twice.

    # Raises
        ValueError: for a model that is not functional, and for layers that are called
            several times.
    """

    def __init__(self, model: tf.keras.Model):
        if not is_functional(model):
            raise ValueError(
                "Expected a built functional or sequential Keras model, got "
                f"{type(model).__name__} {model.name!r}: the layers of a subclassed "
                "model and what connects them are not known. Rebuild it with "
                "tf.keras.Input and tf.keras.Model."
            )
        self.name = model.name
        self._config, self._originals = flat_config(model)
        self.layers = {**self._originals}
        self._entries = {entry["name"]: entry for entry in self._config["layers"]}
        shared = _called_several_times(self._config, self.layers)
        if shared:
            raise ValueError(
                f"Expected every layer of {self.name!r} to be called once, got "
                f"{shared}, which are shared: their calls see different data, and "
                "cannot be changed one by one. Make a layer for each call."
            )
        if any(layer.name not in self.layers for layer in model.layers):
            # in their places, layers of inner models may have other shapes
            flat = self.build(transfer_weights=True)
            self._originals = {layer.name: layer for layer in flat.layers}
            self.layers = {**self._originals}

    def names(self) -> list[str]:
        """The layers, inputs first, each behind what it reads."""
        return [*self._entries]

    def reads(self, name: str) -> list[str]:
        """The layers whose outputs a layer takes, in order."""
        inbound = self._entries[name]["inbound_nodes"]
        return [reference[0] for reference in references(inbound)]

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

    def replace(self, name: str, layer: tf.keras.layers.Layer) -> None:
        """Puts a layer in the place of another, whose name and inputs it takes."""
        self._entries[name] = _entry(layer, name, self.reads(name))
        self.layers[name] = layer

    def remove(self, name: str) -> None:
        """Takes out a layer of one input; its readers read what it has read."""
        (source,) = self.reads(name)
        self._redirect(name, source)
        del self._entries[name], self.layers[name]

    def insert(
        self,
        after: str,
        layer: tf.keras.layers.Layer,
        *,
        also: Sequence[str] = (),
        only: Sequence[str] | None = None,
    ) -> str:
        """Puts a layer behind another, whose readers read the new one then.

        # Arguments
            after: The layer whose output it takes.
            layer: Its name is not in use.
            also: Layers whose outputs it takes as well.
            only: The readers of `after` that read the new layer; `None` means all, and
                the outputs of the model.

        # Returns
            The name of the new layer.

        # Raises
            ValueError: if there is a layer of this name.
        """
        if layer.name in self._entries:
            raise ValueError(
                f"Expected a `name` that no layer of {self.name!r} has, got "
                f"{layer.name!r}."
            )
        self._redirect(after, layer.name, only)
        entries = [*self._entries.items()]
        sources = [after, *also]
        place = max(self.names().index(source) for source in sources) + 1
        entries.insert(place, (layer.name, _entry(layer, layer.name, sources)))
        self._entries = dict(entries)
        self.layers[layer.name] = layer
        return str(layer.name)

    def free_training(self) -> None:
        """Lets layers whose calls fix `training=False` follow the mode of the model."""
        for name, entry in self._entries.items():
            inbound = without_fixed_inference(entry["inbound_nodes"])
            self._entries[name] = {**entry, "inbound_nodes": inbound}

    def _redirect(
        self, source: str, target: str, only: Sequence[str] | None = None
    ) -> None:
        for name in self._entries if only is None else only:
            entry = self._entries[name]
            inbound = pointing(entry["inbound_nodes"], source, target)
            self._entries[name] = {**entry, "inbound_nodes": inbound}
        if only is None:
            outputs = self._config["output_layers"]
            self._config["output_layers"] = pointing(outputs, source, target)

    def build(self, *, transfer_weights: bool) -> tf.keras.Model:
        """The changed model, which shares nothing with the one that was copied.

        # Arguments
            transfer_weights: Whether layers of the same name and shapes as in the
                model that was copied have its weights; otherwise they are initial ones.
        """
        config = {**self._config, "layers": [*self._entries.values()]}
        classes = {type(layer).__name__: type(layer) for layer in self.layers.values()}
        with tf.keras.utils.custom_object_scope(classes):
            model = tf.keras.Model.from_config(config)
        if transfer_weights:
            _copy_weights(self._originals, model)
        return model


def _entry(
    layer: tf.keras.layers.Layer, name: str, sources: Sequence[str]
) -> dict[str, Any]:
    serialized = tf.keras.utils.serialize_keras_object(layer)
    call = [[source, 0, 0, {}] for source in sources]
    return {**serialized, "name": name, "inbound_nodes": [call]}


def _copy_weights(
    sources: Mapping[str, tf.keras.layers.Layer], target: tf.keras.Model
) -> None:
    """The latent weights of layers of the same name."""
    with quantized_scope(False):
        for layer in target.layers:
            source = sources.get(layer.name)
            if source is not None and _same_weights(source, layer):
                layer.set_weights(source.get_weights())


def _same_weights(one: tf.keras.layers.Layer, other: tf.keras.layers.Layer) -> bool:
    shapes = [[weight.shape for weight in each.weights] for each in (one, other)]
    return bool(shapes[0] == shapes[1])
