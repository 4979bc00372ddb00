"""What a .tflite holds besides operators and constants, made small.

In a network of binary convolutions, names that tell every TensorFlow operator of a
tensor, and tables without entries, are a tenth of the file.
"""

from typing import Any

from tensorflow.lite.python import schema_py_generated as schema
from tensorflow.lite.tools import flatbuffer_utils

__all__ = ["slimmed"]


def slimmed(content: bytes) -> bytes:
    """The same operators and constants with short names, each constant once.

    # Arguments
        content: The bytes of a .tflite. A tensor is named after the Keras layer that
            computes it afterwards; names of inputs and outputs in the signature stay.
    """
    model = flatbuffer_utils.convert_bytearray_to_object(content)
    for graph in model.subgraphs:
        for tensor in graph.tensors:
            tensor.name = _layer_name(tensor.name)
            if _is_empty(tensor.quantization):
                tensor.quantization = None
    _share_buffers(model)
    return bytes(flatbuffer_utils.convert_object_to_bytearray(model))


def _layer_name(name: bytes) -> bytes:
    """The second part of `model/layer/operator;...`."""
    parts = name.split(b";")[0].split(b"/")
    return parts[1] if len(parts) > 1 else name


def _is_empty(quantization: Any) -> bool:
    return quantization is None or all(
        getattr(quantization, entry) is None for entry in ("scale", "min", "max")
    )


def _share_buffers(model: Any) -> None:
    """Leaves out buffers that are empty or equal to another one."""
    kept: list[Any] = [schema.BufferT()]  # number 0 stands for no content
    numbers: dict[bytes, int] = {b"": 0}
    tensors = [tensor for graph in model.subgraphs for tensor in graph.tensors]
    for one in (*tensors, *(model.metadata or ())):
        data = model.buffers[one.buffer].data
        content = b"" if data is None else bytes(data)
        if content not in numbers:
            numbers[content] = len(kept)
            kept.append(model.buffers[one.buffer])
        one.buffer = numbers[content]
    model.buffers = kept
