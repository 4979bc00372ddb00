"""Which tensor of a .tflite is which tensor of the Keras model it was made from.

The converter fuses operators and names the result after all of them, cut off at 50
characters. A tensor is matched to the last Keras output, in the order of the model,
whose operator is among those names; where a cut-off name fits several, to none.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from tflite_export.fake_quantization import FakeQuantization
from tflite_export.flatbuffer import Flatbuffer, Operator, Tensor
from tflite_export.quantization_points import AFFINE, passes

__all__ = ["Match", "keras_values", "match_tensors"]

_COMPUTED_IN_ONE = (*AFFINE, tf.keras.layers.Activation, tf.keras.layers.ReLU)
_WITH_KERNEL = (
    "CONV_2D",
    "DEPTHWISE_CONV_2D",
    "FULLY_CONNECTED",
    "LceBconv2d",
    "TRANSPOSE_CONV",
)
_LONGEST_NAME = 50  # characters that the converter keeps


@dataclass(frozen=True)
class Match:
    """A tensor of the flatbuffer and its twin.

    # Attributes
        tensor: The tensor of the flatbuffer.
        layer: Name of the Keras layer that computes it.
        keras_tensor: What that layer returns.
    """

    tensor: Tensor
    layer: str
    keras_tensor: Any


def _layer_outputs(model: tf.keras.Model) -> Iterator[tuple[str, Any]]:
    for layer in model.layers:
        if isinstance(layer, tf.keras.layers.InputLayer):
            continue
        for node in range(len(layer.inbound_nodes)):
            output = layer.get_output_at(node)
            if isinstance(output, (list, tuple, dict)):
                continue  # one operator computes them all
            if tf.keras.backend.is_keras_tensor(output):
                yield layer.name, output


def keras_values(
    model: tf.keras.Model, tensors: Sequence[Any], inputs: Sequence[np.ndarray]
) -> list[np.ndarray]:
    """The values that a Keras model gives to some of its tensors.

    # Arguments
        model: A functional or sequential model.
        tensors: Keras tensors of it.
        inputs: One array for each input of the model.
    """
    probe = tf.keras.Model(model.inputs, list(tensors), name=model.name)
    structure = tf.nest.pack_sequence_as(probe.input, list(inputs))
    return [value.numpy() for value in tf.nest.flatten(probe(structure))]


def _operator_names(model: tf.keras.Model, tensors: Sequence[Any]) -> list[str]:
    """The TensorFlow operator behind each Keras tensor, as the converter sees it."""
    probe = tf.keras.Model(model.inputs, list(tensors), name=model.name)
    specs = [tf.TensorSpec((1, *x.shape[1:]), x.dtype) for x in model.inputs]

    @tf.function(autograph=False)
    def trace(*inputs: tf.Tensor) -> list[tf.Tensor]:
        outputs = probe(tf.nest.pack_sequence_as(probe.input, inputs), training=False)
        return tf.nest.flatten(outputs)

    graph = trace.get_concrete_function(*specs).graph
    return [
        _named_after(output, tensor._keras_history.layer).op.name
        for output, tensor in zip(graph.outputs, tensors)
    ]


def _named_after(output: tf.Tensor, layer: tf.keras.layers.Layer) -> tf.Tensor:
    """What is behind operators that the converter leaves out."""
    while output.op.type in ("Identity", "IdentityN"):
        output = output.op.inputs[output.value_index]
    bias = getattr(layer, "bias", None)
    if output.op.type == "BiasAdd" and bias is not None and not bias.numpy().any():
        return output.op.inputs[0]
    return output


def _fitting(given: str, names: Sequence[str], is_cut_off: bool) -> list[int]:
    """Indices of the operators that a name in the flatbuffer may stand for.

    The converter appends a number where two tensors would have the same name: a
    BatchNorm that does not fold becomes a MUL with its name and an ADD with "1" behind.
    """
    exact = [i for i, name in enumerate(names) if name == given]
    if exact:
        return exact
    stem = given.rstrip("0123456789")
    numbered = [
        i
        for i, name in enumerate(names)
        if given.startswith(name) and given[len(name) :].isdigit()
    ]
    if numbered or not is_cut_off:
        return numbered
    return [i for i, name in enumerate(names) if name.startswith((given, stem))]


def _candidates(
    operator: Operator, tensor: Tensor, names: Sequence[str]
) -> list[int] | None:
    """Indices of the operators in a tensor's name; `None` if that is ambiguous."""
    if operator.name in _WITH_KERNEL and not {*tensor.names} & {*names}:
        # A factor without a shift that is folded into a kernel leaves its name to
        # nothing: the result is called after the convolution, with a number behind.
        return None
    length = len(";".join(tensor.names))
    found: list[int] = []
    for position, given in enumerate(tensor.names):
        is_last = position == len(tensor.names) - 1
        fitting = _fitting(given, names, is_last and length >= _LONGEST_NAME)
        if len({names[i] for i in fitting}) > 1:
            if position == 0:
                return None
            continue
        found.extend(fitting)
    return found


def _halves(flatbuffer: Flatbuffer) -> set[int]:
    """Results of a MUL that only an ADD of a constant reads.

    Such are the two halves of a BatchNorm that does not fold. If an activation folds
    into the ADD, that has the name of the activation, and the MUL alone the name of the
    BatchNorm, whose output it is not.
    """
    producers = {
        tensor.index: operator.name
        for operator in flatbuffer.operators
        for tensor in operator.outputs
    }
    readers: dict[int, list[bool]] = {}  # whether each is an ADD of a constant
    for operator in flatbuffer.operators:
        shifts = operator.name == "ADD" and any(
            tensor.constant_bytes for tensor in operator.inputs
        )
        for tensor in operator.inputs:
            readers.setdefault(tensor.index, []).append(shifts)
    return {
        index
        for index, name in producers.items()
        if name == "MUL" and readers.get(index) == [True]
    }


def _repeats(operator: Operator) -> bool:
    """Whether it gives what it reads in other steps, for one reader that needs them."""
    return operator.name == "QUANTIZE" and operator.inputs[0].scale > 0.0


def _rounded(tensor: Tensor, index: int, keras_tensors: Sequence[Any]) -> int | None:
    """The place of a Keras tensor rounded to the steps of an int8 tensor.

    The converter names the tensor after any of the layers that are computed in one,
    and rounds behind the last. `None` if the steps are those of other values.
    """
    layer = keras_tensors[index]._keras_history.layer
    while not isinstance(layer, FakeQuantization):
        readers = [node.outbound_layer for node in layer.outbound_nodes]
        roundings = [one for one in readers if isinstance(one, FakeQuantization)]
        folding = len(readers) == 1 and isinstance(readers[0], _COMPUTED_IN_ONE)
        if not roundings and not folding:
            return index if passes(layer) else None
        (layer,) = roundings[:1] or readers
    is_same = math.isclose(layer.step, tensor.scale, rel_tol=1e-4)
    places = [i for i, x in enumerate(keras_tensors) if x is layer.output]
    return places[0] if places and is_same else None


def match_tensors(model: tf.keras.Model, flatbuffer: Flatbuffer) -> list[Match]:
    """Finds the Keras twins of the float and int8 tensors of a flatbuffer.

    # Arguments
        model: The float32 model that was converted.
        flatbuffer: What became of it, by `tflite_export.conversion.convert`.

    # Returns
        The matches in the order of the flatbuffer's operators, beginning with its
        inputs and ending with its outputs.
    """
    layers, keras_tensors = map(list, zip(*_layer_outputs(model)))
    names = _operator_names(model, keras_tensors)
    halves = _halves(flatbuffer)
    matches: dict[int, Match] = {}  # by the index of the Keras tensor
    for operator in flatbuffer.operators:
        for tensor in operator.outputs:
            if not tensor.is_real or tensor.index in halves or _repeats(operator):
                continue
            found = _candidates(operator, tensor, names)
            if found:
                last: int | None = max(found)
                if tensor.scale:
                    last = _rounded(tensor, max(found), keras_tensors)
                if last is not None and tuple(tensor.shape[1:]) == tuple(
                    keras_tensors[last].shape[1:]
                ):
                    matches[last] = Match(tensor, layers[last], keras_tensors[last])
    inputs = [
        Match(tensor, "input", model.inputs[int(name.removeprefix("input_"))])
        for name, tensor in flatbuffer.named_inputs().items()
    ]
    outputs = [
        Match(tensor, "output", model.outputs[int(name.removeprefix("output_"))])
        for name, tensor in flatbuffer.named_outputs().items()
    ]
    ends = {match.tensor.index for match in (*inputs, *outputs)}
    between = [m for m in matches.values() if m.tensor.index not in ends]
    position = {
        tensor.index: number
        for number, operator in enumerate(flatbuffer.operators)
        for tensor in operator.outputs
    }
    between.sort(key=lambda match: position[match.tensor.index])
    return [*inputs, *between, *outputs]
