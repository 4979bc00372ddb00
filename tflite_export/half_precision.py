"""Constants of float operators, stored in half precision.

A runtime turns them into single precision when it loads the model, and computes with
what they were rounded to, to 11 bits.
"""

import numpy as np
from tensorflow.lite.python import schema_py_generated as schema

from tflite_export.flatbuffer_editor import FlatbufferEditor

__all__ = ["store_in_float16"]

_LARGE_ENOUGH = 1024  # bytes of a constant; below, an operator costs more than it saves
_SINCE_FLOAT16 = 3  # version of DEQUANTIZE that reads half precision
_READERS = ("CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "MUL", "ADD", "PRELU")


def store_in_float16(content: bytes) -> tuple[bytes, list[str]]:
    """Stores large float constants in half precision.

    # Arguments
        content: The bytes of a .tflite. Constants below 1 KiB, those that half
            precision cannot hold, and those of Larq Compute Engine's own operators stay
            as they are.

    # Returns
        The bytes of the smaller model, and the names of the constants that it holds in
        half precision.
    """
    editor = FlatbufferEditor(content)
    halved: dict[int, str] = {}
    for operator in list(editor.operators):
        if editor.kind(operator) not in _READERS:
            continue
        for index in map(int, operator.inputs):
            values = editor.constant(index) if index >= 0 else None
            if values is None or not _fits(values):
                continue
            halved[index] = editor.tensor(index).name.decode()
            _halve(editor, editor.operators.index(operator), index, values)
    return (editor.to_bytes() if halved else content), [*halved.values()]


def _fits(values: np.ndarray) -> bool:
    if values.dtype != np.float32 or values.nbytes < _LARGE_ENOUGH:
        return False
    return bool(np.abs(values).max() <= np.finfo(np.float16).max)


def _halve(
    editor: FlatbufferEditor, place: int, index: int, values: np.ndarray
) -> None:
    name = f"{editor.tensor(index).name.decode()}/float16"
    half = editor.add_constant(name, values.astype(np.float16))
    editor.add_operator(
        place,
        schema.BuiltinOperator.DEQUANTIZE,
        [half],
        [index],
        version=_SINCE_FLOAT16,
        options=(schema.BuiltinOptions.DequantizeOptions, schema.DequantizeOptionsT()),
    )
    editor.make_computed(index)
