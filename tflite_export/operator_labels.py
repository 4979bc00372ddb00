"""Which layers an operator computes."""

from collections.abc import Collection, Iterator, Mapping

import tensorflow as tf

from tflite_export.flatbuffer import Flatbuffer, Operator, Tensor
from tflite_export.layer_walk import all_layers

__all__ = ["operator_labels", "operator_layers"]


def operator_layers(
    model: tf.keras.Model, flatbuffer: Flatbuffer
) -> list[tuple[str, ...]]:
    """The layers whose names each operator bears.

    # Arguments
        model: The Keras model that was converted.
        flatbuffer: What became of it, with the names that the converter gave.

    # Returns
        Names for each operator, in the order of the flatbuffer; none where the
        converter gave a name of its own.
    """
    known = {layer.name for layer in all_layers(model)}
    ends = _ends(model, flatbuffer)
    return [
        tuple(dict.fromkeys(_layers(operator, known, ends)))
        for operator in flatbuffer.operators
    ]


def operator_labels(model: tf.keras.Model, flatbuffer: Flatbuffer) -> list[str]:
    """The same to be read by people: one text for each operator."""
    layers = operator_layers(model, flatbuffer)
    return [
        ", ".join(names) or ", ".join(operator.names)
        for names, operator in zip(layers, flatbuffer.operators)
    ]


def _ends(model: tf.keras.Model, flatbuffer: Flatbuffer) -> dict[int, str]:
    """Layers at the ends of the model, whose tensors have names of their own."""
    outputs = flatbuffer.named_outputs()
    return {
        outputs[f"output_{number}"].index: tensor.node.layer.name
        for number, tensor in enumerate(model.outputs)
    }


def _layers(
    operator: Operator, known: Collection[str], ends: Mapping[int, str]
) -> Iterator[str]:
    if operator.name == "LceBconv2d":  # its sign is in the scope of its layer
        yield from _scopes(operator.inputs[0], known)
    for tensor in operator.outputs:
        if tensor.index in ends:
            yield ends[tensor.index]
        elif operator.name == "LceQuantize" or tensor.dtype != "int32":
            yield from _scopes(tensor, known)  # bits are named after who reads them


def _scopes(tensor: Tensor, known: Collection[str]) -> Iterator[str]:
    """ "conv" and "bn" for "m/conv/Conv2D;m/bn/Add"."""
    for name in tensor.names:
        layers = [scope for scope in name.split("/") if scope in known]
        yield from layers[-1:]
