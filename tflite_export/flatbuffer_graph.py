"""Makes sure that the graphs of a .tflite hang together.

Tables refer to each other by number: operators to their kinds and tensors, tensors to
their contents. The runtime follows such numbers without a look. Here each has to lead
to something, and every operator may only read what there is when its turn comes.
"""

import math
from collections.abc import Iterator, Sequence
from typing import Any

from tensorflow.lite.python import schema_py_generated as schema

from tflite_export.flatbuffer_structure import FlatbufferError

__all__ = ["BUILTIN_NAMES", "TYPE_NAMES", "check_graph", "entries"]

BUILTIN_NAMES = {
    value: name
    for name, value in vars(schema.BuiltinOperator).items()
    if isinstance(value, int)
}
"""The operators of TensorFlow Lite by their codes."""

TYPE_NAMES = {
    value: name.lower()
    for name, value in vars(schema.TensorType).items()
    if isinstance(value, int)
}
"""The types of tensors by their codes."""

_TYPE_BYTES = {
    "bool": 1,
    "int8": 1,
    "uint8": 1,
    "int16": 2,
    "uint16": 2,
    "float16": 2,
    "bfloat16": 2,
    "int32": 4,
    "uint32": 4,
    "float32": 4,
    "int64": 8,
    "uint64": 8,
    "float64": 8,
}
_MOST_ELEMENTS = 2**31 - 1  # the runtime counts them in 32 bits


def check_graph(model: Any, file_bytes: int) -> None:
    """Follows every number by which one table refers to another.

    # Arguments
        model: A model as TensorFlow Lite's schema unpacks it.
        file_bytes: Size of the file that it was read from.

    # Raises
        FlatbufferError: if one leads nowhere.
    """
    for problem in _problems(model, file_bytes):
        raise FlatbufferError(
            f"Expected a .tflite file, got {file_bytes} damaged bytes: {problem}."
        )


def entries(values: Any) -> Sequence[Any]:
    """What a list of an unpacked flatbuffer holds; nothing if there is no list."""
    return () if values is None else list(values)


def _problems(model: Any, file_bytes: int) -> Iterator[str]:
    if not entries(model.subgraphs):
        yield "there is no graph"
    for number, buffer in enumerate(entries(model.buffers)):
        if buffer.offset > 1 and buffer.offset + buffer.size > file_bytes:
            yield f"content {number} lies behind its end"
    for number, code in enumerate(entries(model.operatorCodes)):
        yield from _code_problems(number, code)
    for graph in entries(model.subgraphs):
        yield from _graph_problems(model, graph)
    for signature in entries(model.signatureDefs):
        yield from _signature_problems(model, signature)


def _code_problems(number: int, code: Any) -> Iterator[str]:
    builtin = max(code.builtinCode, code.deprecatedBuiltinCode)
    if builtin not in BUILTIN_NAMES:
        yield f"kind {number} of operators has the unknown code {builtin}"
    yield from _text_problems(
        f"the name of kind {number} of operators", code.customCode
    )


def _text_problems(owner: str, text: bytes | None) -> Iterator[str]:
    try:
        (text or b"").decode()
    except UnicodeDecodeError:
        yield f"{owner} is not UTF-8"


def _graph_problems(model: Any, graph: Any) -> Iterator[str]:
    tensors = entries(graph.tensors)
    for index, tensor in enumerate(tensors):
        yield from _tensor_problems(model, index, tensor)
    for index in (*entries(graph.inputs), *entries(graph.outputs)):
        if not 0 <= index < len(tensors):
            yield f"the graph begins or ends with tensor {index} of {len(tensors)}"
    present = {index for index, one in enumerate(tensors) if _is_given(model, one)}
    present.update(entries(graph.inputs))
    for number, operator in enumerate(entries(graph.operators)):
        kinds = len(entries(model.operatorCodes))
        if not 0 <= operator.opcodeIndex < kinds:
            yield f"operator {number} is of kind {operator.opcodeIndex} of {kinds}"
        yield from _order_problems(number, operator, len(tensors), present)
    for index in entries(graph.outputs):
        if index not in present:
            yield f"nothing computes the output, tensor {index}"


def _order_problems(
    number: int, operator: Any, tensors: int, present: set[int]
) -> Iterator[str]:
    """What is wrong with what an operator reads; adds what it computes."""
    for index in (*entries(operator.inputs), *entries(operator.intermediates)):
        if not -1 <= index < tensors:  # -1 stands for none
            yield f"operator {number} reads tensor {index} of {tensors}"
    for index in entries(operator.inputs):
        if index >= 0 and index not in present:
            yield f"operator {number} reads tensor {index} before it is computed"
    for index in entries(operator.outputs):
        if not 0 <= index < tensors:
            yield f"operator {number} writes tensor {index} of {tensors}"
        if index in present:
            yield f"operator {number} computes tensor {index}, which is there already"
        present.add(index)


def _is_given(model: Any, tensor: Any) -> bool:
    """Whether a tensor has its values before anything runs."""
    buffer = model.buffers[tensor.buffer]
    shape = entries(tensor.shape)
    return (
        bool(tensor.isVariable)
        or buffer.data is not None
        or buffer.offset > 1
        or 0 in shape
    )


def _tensor_problems(model: Any, index: int, tensor: Any) -> Iterator[str]:
    buffers = entries(model.buffers)
    shape = [int(size) for size in entries(tensor.shape)]
    if tensor.type not in TYPE_NAMES:
        yield f"tensor {index} is of the unknown type {tensor.type}"
    if not 0 <= tensor.buffer < len(buffers):
        yield f"tensor {index} has content {tensor.buffer} of {len(buffers)}"
    if min(shape, default=0) < 0 or math.prod(shape) > _MOST_ELEMENTS:
        yield f"tensor {index} has the shape {shape}"
    data = buffers[tensor.buffer].data
    size = _TYPE_BYTES.get(TYPE_NAMES[tensor.type])
    if data is not None and size and tensor.sparsity is None:
        if len(data) != size * math.prod(shape):
            yield (
                f"tensor {index} is {TYPE_NAMES[tensor.type]} of shape {shape}, and "
                f"has {len(data)} bytes"
            )
    yield from _text_problems(f"the name of tensor {index}", tensor.name)


def _signature_problems(model: Any, signature: Any) -> Iterator[str]:
    graphs = entries(model.subgraphs)
    if not 0 <= signature.subgraphIndex < len(graphs):
        yield f"a signature is of graph {signature.subgraphIndex} of {len(graphs)}"
    tensors = len(entries(graphs[signature.subgraphIndex].tensors))
    yield from _text_problems("the name of a signature", signature.signatureKey)
    for entry in (*entries(signature.inputs), *entries(signature.outputs)):
        yield from _text_problems("a name in a signature", entry.name)
        if not 0 <= entry.tensorIndex < tensors:
            yield f"a signature names tensor {entry.tensorIndex} of {tensors}"
