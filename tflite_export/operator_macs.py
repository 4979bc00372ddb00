"""How much an operator computes."""

import math
from collections.abc import Callable, Mapping

from flatbuffers import flexbuffers

from tflite_export.flatbuffer import Operator

__all__ = ["multiply_accumulates"]

_BITS = 32  # channels in a word of a binary kernel, filled up with zeros


def multiply_accumulates(operator: Operator) -> int:
    """Multiply-accumulates of a convolution or dense layer for one image.

    # Arguments
        operator: Of a flatbuffer with a batch of one.

    # Returns
        The number; 0 for operators without a kernel.
    """
    count = _COUNTS.get(operator.name)
    return 0 if count is None or len(operator.inputs) < 2 else count(operator)


def _convolution(operator: Operator) -> int:
    _, *kernel = operator.inputs[1].shape  # [C_out, H, W, C_in per group]
    return math.prod(operator.outputs[0].shape) * math.prod(kernel)


def _depthwise(operator: Operator) -> int:
    _, height, width, _ = operator.inputs[1].shape
    return math.prod(operator.outputs[0].shape) * height * width


def _dense(operator: Operator) -> int:
    units, inputs = operator.inputs[1].shape
    rows = math.prod(operator.outputs[0].shape) // units
    return rows * units * inputs


def _transposed(operator: Operator) -> int:
    _, kernel, images = operator.inputs[:3]
    return math.prod(images.shape[:3]) * math.prod(kernel.shape)


def _binary(operator: Operator) -> int:
    image, kernel, *_ = operator.inputs
    filters, height, width, words = kernel.shape
    options = flexbuffers.Loads(operator.custom_options)
    channels = min(options["channels_in"], _BITS * words)
    _, out_height, out_width, _ = operator.outputs[0].shape
    return out_height * out_width * filters * height * width * channels


_COUNTS: Mapping[str, Callable[[Operator], int]] = {
    "CONV_2D": _convolution,
    "DEPTHWISE_CONV_2D": _depthwise,
    "FULLY_CONNECTED": _dense,
    "LceBconv2d": _binary,
    "TRANSPOSE_CONV": _transposed,
}
