"""Changes a .tflite: constants, tensors and operators of its graph."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from tensorflow.lite.python import schema_py_generated as schema
from tensorflow.lite.tools import flatbuffer_utils

__all__ = ["FlatbufferEditor"]

_TYPES: dict[np.dtype[Any], int] = {
    np.dtype(np.float32): schema.TensorType.FLOAT32,
    np.dtype(np.float16): schema.TensorType.FLOAT16,
    np.dtype(np.int32): schema.TensorType.INT32,
    np.dtype(np.int8): schema.TensorType.INT8,
}
_DTYPES = {number: dtype for dtype, number in _TYPES.items()}
_NO_CONTENT = 0  # the number of the buffer that is always empty


class FlatbufferEditor:
    """A TensorFlow Lite model with one graph, to be changed.

    Tensors are known by their numbers, operators by their place in `operators`, which
    is the order in which they run.

    # Arguments
        content: The bytes of a .tflite file.
    """

    def __init__(self, content: bytes):
        self._model = flatbuffer_utils.convert_bytearray_to_object(content)
        (self._graph,) = self._model.subgraphs
        self.operators: list[Any] = list(self._graph.operators)

    def kind(self, operator: Any) -> str:
        """ "CONV_2D", "LceBconv2d", ...: what an operator computes."""
        custom = self._model.operatorCodes[operator.opcodeIndex].customCode
        if custom:
            return str(custom.decode())
        return str(flatbuffer_utils.opcode_to_name(self._model, operator.opcodeIndex))

    def tensor(self, index: int) -> Any:
        """The tensor of a number, to be read and changed."""
        return self._graph.tensors[index]

    def readers(self, index: int) -> list[Any]:
        """The operators that read a tensor."""
        return [o for o in self.operators if index in list(o.inputs)]

    def constant(self, index: int) -> np.ndarray | None:
        """The values of a constant tensor; `None` for one that is computed."""
        tensor = self.tensor(index)
        data = self._model.buffers[tensor.buffer].data
        if data is None or tensor.type not in _DTYPES:
            return None
        values = np.frombuffer(bytes(data), _DTYPES[tensor.type])
        return values.reshape(tensor.shape)

    def add_constant(self, name: str, values: np.ndarray) -> int:
        """Adds a constant tensor; returns its number."""
        buffer = schema.BufferT()
        buffer.data = np.frombuffer(np.ascontiguousarray(values).tobytes(), np.uint8)
        self._model.buffers.append(buffer)
        return self._add_tensor(
            name, values.shape, _TYPES[values.dtype], len(self._model.buffers) - 1
        )

    def add_tensor(self, name: str, shape: Sequence[int], dtype: Any) -> int:
        """Adds a tensor that an operator is going to compute; returns its number."""
        return self._add_tensor(name, shape, _TYPES[np.dtype(dtype)], _NO_CONTENT)

    def make_computed(self, index: int) -> None:
        """Takes the values of a constant away, for an operator to compute them."""
        self.tensor(index).buffer = _NO_CONTENT

    def _add_tensor(
        self, name: str, shape: Sequence[int], number: int, buffer: int
    ) -> int:
        tensor = schema.TensorT()
        tensor.name = name.encode()
        tensor.shape = np.asarray(shape, np.int32)
        tensor.type = number
        tensor.buffer = buffer
        self._graph.tensors.append(tensor)
        return len(self._graph.tensors) - 1

    def add_operator(
        self,
        position: int,
        kind: int | str,
        inputs: Sequence[int],
        outputs: Sequence[int],
        *,
        version: int = 1,
        options: tuple[int, Any] | None = None,
    ) -> None:
        """Puts an operator in front of the one at a place.

        # Arguments
            position: That place.
            kind: A `schema.BuiltinOperator`, or the name of a custom operator.
            inputs: Numbers of the tensors that it reads.
            outputs: Numbers of the tensors that it writes.
            version: Of the operator.
            options: A `schema.BuiltinOptions` and the options themselves.
        """
        operator = schema.OperatorT()
        operator.opcodeIndex = self._code(kind, version)
        operator.inputs = np.asarray(inputs, np.int32)
        operator.outputs = np.asarray(outputs, np.int32)
        if options is not None:
            operator.builtinOptionsType, operator.builtinOptions = options
        self.operators.insert(position, operator)

    def _code(self, kind: int | str, version: int) -> int:
        code = schema.OperatorCodeT()
        custom = isinstance(kind, str)
        code.builtinCode = schema.BuiltinOperator.CUSTOM if custom else kind
        code.deprecatedBuiltinCode = min(code.builtinCode, 127)  # its older, short form
        code.customCode = kind.encode() if isinstance(kind, str) else None
        code.version = version
        known = [vars(each) for each in self._model.operatorCodes]
        if vars(code) in known:
            return known.index(vars(code))
        self._model.operatorCodes.append(code)
        return len(known)

    def to_bytes(self) -> bytes:
        """The changed model; contents that nothing refers to any more are left out."""
        self._graph.operators = self.operators
        kept = {tensor.buffer for tensor in self._graph.tensors}
        kept |= {entry.buffer for entry in self._model.metadata or ()}
        for index, buffer in enumerate(self._model.buffers):
            if index not in kept:
                buffer.data = None
        return bytes(flatbuffer_utils.convert_object_to_bytearray(self._model))
