"""Reads a .tflite: its operators, what they weigh, and how they hang together.

Also cuts parts out of it, so that a part of the very model that is going to be deployed
can be run on its own.
"""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from tensorflow.lite.python import schema_py_generated as schema
from tensorflow.lite.tools import flatbuffer_utils

from tflite_export.flatbuffer_graph import (
    BUILTIN_NAMES,
    TYPE_NAMES,
    check_graph,
    entries,
)
from tflite_export.flatbuffer_structure import FlatbufferError, check_structure

__all__ = ["Flatbuffer", "FlatbufferError", "Operator", "Tensor"]


@dataclass(frozen=True)
class Tensor:
    """A tensor of the graph.

    # Attributes
        index: Its number in the graph.
        names: Names of the TensorFlow operators that were fused into it.
        shape: Its static shape.
        dtype: Its type, such as "float32".
        constant_bytes: Size of its content if it is a constant, else 0.
        buffer: The number of that content; equal constants may share one.
        scale: Of an int8 tensor with one scale, the step of its values; 0.0 for others.
        zero_point: Of such a tensor, the integer that stands for 0.
    """

    index: int
    names: tuple[str, ...]
    shape: tuple[int, ...]
    dtype: str
    constant_bytes: int
    buffer: int
    scale: float = 0.0
    zero_point: int = 0

    @property
    def is_real(self) -> bool:
        """Whether its values stand for real numbers: float32, or int8 with a scale."""
        return self.dtype == "float32" or self.scale > 0.0

    def stored(self, values: np.ndarray) -> np.ndarray:
        """Real numbers in the form in which the tensor holds them."""
        if not self.scale:
            return values
        steps = np.rint(values / self.scale) + self.zero_point
        return np.clip(steps, -128, 127).astype(np.int8)

    def real(self, stored: np.ndarray) -> np.ndarray:
        """The real numbers that values of the tensor stand for."""
        if not self.scale:
            return stored
        steps = stored.astype(np.float32) - self.zero_point
        return (steps * self.scale).astype(np.float32)


@dataclass(frozen=True)
class Operator:
    """An operator of the graph.

    # Attributes
        name: "CONV_2D", "LceBconv2d", ...
        inputs: Tensors that it reads; optional ones that are absent are left out.
        outputs: Tensors that it writes.
        custom_options: The options of a custom operator as they are stored.
    """

    name: str
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    custom_options: bytes = b""

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the TensorFlow operators that were fused into this one."""
        return tuple(name for tensor in self.outputs for name in tensor.names)


class Flatbuffer:
    """A TensorFlow Lite model with one graph.

    # Arguments
        content: The bytes of a .tflite file.

    # Raises
        FlatbufferError: if they are something else.
    """

    def __init__(self, content: bytes):
        check_structure(content)
        try:
            self._model = flatbuffer_utils.convert_bytearray_to_object(content)
        except (struct.error, IndexError, TypeError, ValueError) as error:
            raise FlatbufferError(  # in the options of an operator
                f"Expected a .tflite file, got {len(content)} damaged bytes: {error}."
            ) from error
        check_graph(self._model, len(content))
        self._graph = self._model.subgraphs[0]
        self.operators = tuple(map(self._operator, entries(self._graph.operators)))
        self.content = content

    @property
    def inputs(self) -> tuple[Tensor, ...]:
        """The inputs of the graph."""
        return tuple(self.tensors[index] for index in entries(self._graph.inputs))

    @property
    def outputs(self) -> tuple[Tensor, ...]:
        """The outputs of the graph."""
        return tuple(self.tensors[index] for index in entries(self._graph.outputs))

    @cached_property
    def tensors(self) -> tuple[Tensor, ...]:
        """All tensors, by index."""
        return tuple(
            self._tensor(index, tensor)
            for index, tensor in enumerate(entries(self._graph.tensors))
        )

    def _tensor(self, index: int, tensor: Any) -> Tensor:
        data = self._model.buffers[tensor.buffer].data
        scale, zero_point = _steps(tensor)
        return Tensor(
            index=index,
            names=tuple(filter(None, (tensor.name or b"").decode().split(";"))),
            shape=tuple(map(int, entries(tensor.shape))),
            dtype=TYPE_NAMES[tensor.type],
            constant_bytes=0 if data is None else len(data),
            buffer=tensor.buffer,
            scale=scale,
            zero_point=zero_point,
        )

    def _operator(self, operator: Any) -> Operator:
        code = self._model.operatorCodes[operator.opcodeIndex]
        builtin = max(code.builtinCode, code.deprecatedBuiltinCode)
        custom = code.customCode.decode() if code.customCode else None
        return Operator(
            name=custom or BUILTIN_NAMES[builtin],
            inputs=tuple(self.tensors[i] for i in entries(operator.inputs) if i >= 0),
            outputs=tuple(self.tensors[i] for i in entries(operator.outputs)),
            custom_options=bytes(entries(operator.customOptions)),
        )

    def named_outputs(self) -> dict[str, Tensor]:
        """The outputs by the names in the model's signature.

        # Raises
            FlatbufferError: if it has no signature.
        """
        return self._named(self._signature().outputs)

    def named_inputs(self) -> dict[str, Tensor]:
        """The inputs by the names in the model's signature.

        # Raises
            FlatbufferError: if it has no signature.
        """
        return self._named(self._signature().inputs)

    def _signature(self) -> Any:
        for signature in entries(self._model.signatureDefs):
            if signature.subgraphIndex == 0:
                return signature
        raise FlatbufferError(
            "Expected a .tflite file with a signature, which names inputs and outputs, "
            "got one without. Convert the model with tflite_export.export."
        )

    def _named(self, named: Any) -> dict[str, Tensor]:
        return {
            (entry.name or b"").decode(): self.tensors[entry.tensorIndex]
            for entry in entries(named)
        }

    def operators_between(
        self, inputs: Sequence[Tensor], outputs: Sequence[Tensor]
    ) -> list[Operator]:
        """The operators that lead from some tensors to others, in order."""
        return [self.operators[i] for i in self._cone(inputs, outputs)]

    def _cone(self, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> list[int]:
        given = {tensor.index for tensor in inputs}
        wanted = {tensor.index for tensor in outputs} - given
        chosen = []
        for index in reversed(range(len(self.operators))):
            operator = self.operators[index]
            if any(tensor.index in wanted for tensor in operator.outputs):
                chosen.append(index)
                wanted |= {tensor.index for tensor in operator.inputs} - given
        return chosen[::-1]

    def part(self, inputs: Sequence[Tensor], outputs: Sequence[Tensor]) -> bytes:
        """A model of its own that leads from some tensors of this one to others.

        # Arguments
            inputs: Tensors that are to be fed.
            outputs: Tensors that are to be computed from them and from constants.

        # Returns
            The bytes of a .tflite with these inputs and outputs, in this order.
        """
        operators = [self._graph.operators[i] for i in self._cone(inputs, outputs)]
        used = {tensor.index for tensor in (*inputs, *outputs)}
        for operator in operators:
            numbers = (*entries(operator.inputs), *entries(operator.outputs))
            used.update(i for i in numbers if i >= 0)
        order = sorted(used)
        buffers = [schema.BufferT()]  # number 0 stands for no content
        graph = schema.SubGraphT()
        graph.tensors = list(_with_buffers(self._model, self._graph, order, buffers))
        renumbered = {old: new for new, old in enumerate(order)} | {-1: -1}
        graph.operators = [_renumbered(operator, renumbered) for operator in operators]
        graph.inputs = [renumbered[tensor.index] for tensor in inputs]
        graph.outputs = [renumbered[tensor.index] for tensor in outputs]
        model = schema.ModelT()
        model.version = self._model.version
        model.operatorCodes = self._model.operatorCodes
        model.buffers = buffers
        model.subgraphs = [graph]
        return bytes(flatbuffer_utils.convert_object_to_bytearray(model))


def _steps(tensor: Any) -> tuple[float, int]:
    """Scale and zero point of an int8 tensor that has one of each."""
    quantization = tensor.quantization
    if tensor.type != schema.TensorType.INT8 or quantization is None:
        return 0.0, 0
    scales, zeros = map(entries, (quantization.scale, quantization.zeroPoint))
    if len(scales) != 1 or len(zeros) != 1 or not scales[0] > 0.0:
        return 0.0, 0
    return float(scales[0]), int(zeros[0])


def _copy(table: Any) -> Any:
    copy = type(table)()
    vars(copy).update(vars(table))
    return copy


def _renumbered(operator: Any, numbers: dict[int, int]) -> Any:
    copy = _copy(operator)
    copy.inputs = [numbers[index] for index in entries(operator.inputs)]
    copy.outputs = [numbers[index] for index in entries(operator.outputs)]
    return copy


def _with_buffers(
    model: Any, graph: Any, order: Sequence[int], buffers: list[Any]
) -> Iterator[Any]:
    """Copies of tensors, with their contents appended to `buffers`."""
    for index in order:
        tensor = _copy(graph.tensors[index])
        content = model.buffers[tensor.buffer]
        if content.data is None:
            tensor.buffer = 0
        else:
            tensor.buffer = len(buffers)
            buffers.append(content)
        yield tensor
