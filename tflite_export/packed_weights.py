"""Binary kernels of float convolutions, stored as bits.

Where only the weights are binary, Larq Compute Engine has no kernel: the convolution
stays float, and its constant takes 32 bits for every +-s. Here it takes one, and
a scale for each output channel. `LceDequantize` and `MUL` make the same numbers of
them whenever the model runs.
"""

import numpy as np
from tensorflow.lite.python import schema_py_generated as schema

from tflite_export.flatbuffer_editor import FlatbufferEditor

__all__ = ["pack_binary_weights", "packed_bits"]

_LANES = 32  # bits of a word
_FILTER = 1  # which input of a convolution holds the kernel
_LARGE_ENOUGH = 4096  # bytes of a kernel; below, two operators cost more than they save
_OUTPUT_CHANNELS = {"CONV_2D": 0, "FULLY_CONNECTED": 0, "DEPTHWISE_CONV_2D": -1}  # axis


def packed_bits(values: np.ndarray) -> np.ndarray:
    """The signs along the last axis, in the words of Larq Compute Engine.

    # Arguments
        values: [..., C]; what is negative becomes bit 1.

    # Returns
        int32 [..., ceil(C / 32)]; channel 0 is the lowest bit of the first word, and
        what is left of the last word is 0.

    # Example
        >>> packed_bits(np.array([[1.0, -1.0, 1.0, -1.0]]))
        array([[10]], dtype=int32)
    """
    *outer, channels = values.shape
    words = -(-channels // _LANES)
    bits = np.zeros((*outer, words * _LANES), np.uint8)
    bits[..., :channels] = values < 0
    packed = np.packbits(bits, axis=-1, bitorder="little")
    return packed.view("<i4").astype(np.int32).reshape(*outer, words)


def pack_binary_weights(content: bytes) -> tuple[bytes, list[str]]:
    """Stores the kernels of float convolutions and dense layers as bits.

    # Arguments
        content: The bytes of a .tflite. A kernel is packed if it has one magnitude in
            each of its output channels, to the last bit.

    # Returns
        The bytes of a model that computes the same, to the last bit, and the names of
        the kernels that were packed.
    """
    editor = FlatbufferEditor(content)
    packed: dict[int, str] = {}
    for operator in list(editor.operators):
        axis = _OUTPUT_CHANNELS.get(editor.kind(operator))
        if axis is None:
            continue
        index = int(operator.inputs[_FILTER])
        kernel = editor.constant(index)
        if kernel is None or not _is_float_and_large(kernel):
            continue
        scale = _one_magnitude(kernel, axis)
        if scale is not None:
            packed[index] = editor.tensor(index).name.decode()
            _pack(editor, editor.operators.index(operator), index, kernel, scale)
    return (editor.to_bytes() if packed else content), [*packed.values()]


def _is_float_and_large(kernel: np.ndarray) -> bool:
    return kernel.dtype == np.float32 and kernel.nbytes >= _LARGE_ENOUGH


def _one_magnitude(kernel: np.ndarray, axis: int) -> np.ndarray | None:
    """The magnitude of each output channel, to be broadcast; `None` if it has more."""
    others = tuple(i for i in range(kernel.ndim) if i != axis % kernel.ndim)
    magnitude = np.abs(kernel)
    scale = magnitude.max(axis=others, keepdims=True)
    return scale if scale.all() and (magnitude == scale).all() else None


def _pack(
    editor: FlatbufferEditor,
    place: int,
    index: int,
    kernel: np.ndarray,
    scale: np.ndarray,
) -> None:
    name = editor.tensor(index).name.decode()
    bits = editor.add_constant(f"{name}/bits", packed_bits(kernel))
    scales = editor.add_constant(f"{name}/scale", scale)
    signs = editor.add_tensor(f"{name}/signs", kernel.shape, np.float32)
    editor.add_operator(place, "LceDequantize", [bits], [signs])
    editor.add_operator(
        place + 1,
        schema.BuiltinOperator.MUL,
        [signs, scales],
        [index],
        options=(schema.BuiltinOptions.MulOptions, schema.MulOptionsT()),
    )
    editor.make_computed(index)
