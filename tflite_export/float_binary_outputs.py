"""Binary convolutions that pad with zeros, in a network of int8 activations.

Larq Compute Engine corrects the border of such a convolution in float only, and its
runtime refuses one that is to write int8. It writes float here, and an operator of its
own rounds to int8: the same numbers.
"""

from typing import Any

import numpy as np
from flatbuffers import flexbuffers
from tensorflow.lite.python import schema_py_generated as schema

from tflite_export.flatbuffer_editor import FlatbufferEditor

__all__ = ["round_after_zero_padding"]


def round_after_zero_padding(content: bytes) -> bytes:
    """Lets zero-padded binary convolutions write float, to be rounded to int8 next.

    # Arguments
        content: The bytes of a .tflite with int8 activations.
    """
    editor = FlatbufferEditor(content)
    for operator in list(editor.operators):
        if editor.kind(operator) == "LceBconv2d" and _pads_with_zeros(operator):
            _write_float(editor, operator)
    return editor.to_bytes()


def _pads_with_zeros(operator: Any) -> bool:
    options = flexbuffers.Loads(bytes(operator.customOptions))
    return options["padding"] == schema.Padding.SAME and options["pad_values"] == 0


def _write_float(editor: FlatbufferEditor, operator: Any) -> None:
    (output,) = map(int, operator.outputs)
    rounded = editor.tensor(output)
    if rounded.type != schema.TensorType.INT8:
        return
    name = f"{rounded.name.decode()}/float"
    written = editor.add_tensor(name, rounded.shape, np.float32)
    operator.outputs = np.asarray([written], np.int32)
    editor.add_operator(
        editor.operators.index(operator) + 1,
        schema.BuiltinOperator.QUANTIZE,
        [written],
        [output],
        options=(schema.BuiltinOptions.QuantizeOptions, schema.QuantizeOptionsT()),
    )
