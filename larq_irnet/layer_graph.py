"""The layers of a functional model and what connects them, to be changed."""

import copy
from collections.abc import Iterator, Sequence
from typing import Any

import tensorflow as tf

from larq_irnet.functional_model import is_functional
from larq_irnet.quantized_scope import quantized_scope

__all__ = ["LayerGraph", "pointing", "shared_layers"]

# A reference of Keras' configurations: [name of a layer, number of its call, number of
# the output], followed by the further arguments of the call.
Reference = list[Any]


def _references(value: Any) -> Iterator[Reference]:
    """All references within a part of a configuration."""
    if isinstance(value, dict):
        value = [*value.values()]
    if not isinstance(value, (list, tuple)):
        return
    if _is_reference(value):
        yield [*value[:3]]
        value = value[3:]
    for one in value:
        yield from _references(one)


def _is_reference(value: Sequence[Any]) -> bool:
    return (
        len(value) >= 3
        and isinstance(value[0], str)
        and all(type(number) is int for number in value[1:3])
    )


def pointing(value: Any, source: str, target: str) -> Any:
    """A part of a configuration whose references to one layer lead to another.

    # Arguments
        value: Such as the `inbound_nodes` of a layer or the `output_layers` of a model.
        source: Name of the layer that is referred to.
        target: Name of the layer that is referred to instead; its first output is.
    """
    if isinstance(value, dict):
        return {key: pointing(one, source, target) for key, one in value.items()}
    if not isinstance(value, (list, tuple)):
        return value
    if _is_reference(value) and value[0] == source:
        return [target, 0, 0, *pointing(value[3:], source, target)]
    return [pointing(one, source, target) for one in value]


def _plain(model: tf.keras.Model) -> tf.keras.Model:
    """As a functional model; of a sequential one, with the layer of its inputs."""
    return tf.keras.Model(model.inputs, model.outputs, name=model.name)


def shared_layers(model: tf.keras.Model) -> list[str]:
    """The layers of a functional or sequential model that are called several times."""
    return _called_several_times(_plain(model).get_config())


def _called_several_times(config: dict[str, Any]) -> list[str]:
    entries = config["layers"]
    return [entry["name"] for entry in entries if len(entry["inbound_nodes"]) > 1]


class LayerGraph:
    """A copy of a model's layers that can be replaced, put in, and built again.

    Layers are known by their names. Those that are put in have one input and one
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
        plain = _plain(model)
        self.name = model.name
        self.layers = {layer.name: layer for layer in plain.layers}
        self._config = copy.copy(plain.get_config())
        self._entries = {entry["name"]: entry for entry in self._config["layers"]}
        shared = _called_several_times(self._config)
        if shared:
            raise ValueError(
                f"Expected every layer of {self.name!r} to be called once, got "
                f"{shared}, which are shared: their calls see different data, and "
                "cannot be changed one by one. Make a layer for each call."
            )

    def names(self) -> list[str]:
        """The layers, inputs first, each behind what it reads."""
        return [*self._entries]

    def reads(self, name: str) -> list[str]:
        """The layers whose outputs a layer takes, in order."""
        inbound = self._entries[name]["inbound_nodes"]
        return [reference[0] for reference in _references(inbound)]

    def readers(self, name: str) -> list[str]:
        """The layers that take the output of a layer."""
        return [other for other in self._entries if name in self.reads(other)]

    def is_output(self, name: str) -> bool:
        """Whether the model gives the output of a layer."""
        outputs = self._config["output_layers"]
        return any(reference[0] == name for reference in _references(outputs))

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

    def build(self, *, weights_of: tf.keras.Model | None = None) -> tf.keras.Model:
        """The changed model, which shares nothing with the one that was copied.

        # Arguments
            weights_of: A model from which layers of the same name take their weights.
        """
        config = {**self._config, "layers": [*self._entries.values()]}
        classes = {type(layer).__name__: type(layer) for layer in self.layers.values()}
        with tf.keras.utils.custom_object_scope(classes):
            model = tf.keras.Model.from_config(config)
        if weights_of is not None:
            _copy_weights(weights_of, model)
        return model


def _entry(
    layer: tf.keras.layers.Layer, name: str, sources: Sequence[str]
) -> dict[str, Any]:
    serialized = tf.keras.utils.serialize_keras_object(layer)
    call = [[source, 0, 0, {}] for source in sources]
    return {**serialized, "name": name, "inbound_nodes": [call]}


def _copy_weights(source: tf.keras.Model, target: tf.keras.Model) -> None:
    """The latent weights of layers of the same name."""
    known = {layer.name: layer for layer in target.layers}
    with quantized_scope(False):
        for layer in source.layers:
            if layer.name in known and _same_weights(layer, known[layer.name]):
                known[layer.name].set_weights(layer.get_weights())


def _same_weights(one: tf.keras.layers.Layer, other: tf.keras.layers.Layer) -> bool:
    shapes = [[weight.shape for weight in each.weights] for each in (one, other)]
    return bool(shapes[0] == shapes[1])
