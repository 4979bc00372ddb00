"""Rules about padding, in convolutions and in front of them.

The converter takes an explicit padding for the "same" padding of the convolution that
reads it if the output has the same size, also where the two begin at other pixels.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import tensorflow as tf

from tflite_export.findings import Finding
from tflite_export.lint.binary_convolutions import (
    PADS,
    BinaryConvolution,
)
from tflite_export.lint.operator_graph import OperatorGraph, constant_value

__all__ = [
    "float_padding_is_computed_right",
    "reference_kernel_can_pad",
    "signs_are_padded_right",
    "zeros_are_padded_right",
]


@dataclass(frozen=True)
class _Axis:
    """A convolution and its padding along height or width.

    # Attributes
        size: Pixels before the padding.
        before: Padding in front.
        after: Padding behind.
        extent: What the kernel reaches over.
        stride: Of the convolution.
    """

    size: int
    before: int
    after: int
    extent: int
    stride: int

    def is_taken_for_same(self) -> bool:
        """Whether the converter takes the padding for "same"."""
        outputs = (
            self.size + self.before + self.after - self.extent
        ) // self.stride + 1
        same_size = outputs == -(-self.size // self.stride)
        return same_size and self.after - self.before in (0, 1)

    def begins_as_same(self) -> bool:
        """Whether "same" padding begins at the same pixel."""
        outputs = -(-self.size // self.stride)
        total = max((outputs - 1) * self.stride + self.extent - self.size, 0)
        return total // 2 == self.before


def _axes(
    convolution: tf.Operation, padding: tf.Operation, extent: Sequence[int]
) -> list[_Axis] | None:
    """Height and width; `None` where they are not fixed."""
    amounts = constant_value(padding.inputs[1])
    sizes = padding.inputs[0].shape.as_list()[1:3]
    if amounts is None or None in sizes:
        return None
    return [
        _Axis(
            size=sizes[axis],
            before=int(amounts[axis + 1][0]),
            after=int(amounts[axis + 1][1]),
            extent=extent[axis],
            stride=convolution.get_attr("strides")[axis + 1],
        )
        for axis in (0, 1)
    ]


def _is_channels_last(convolution: tf.Operation) -> bool:
    return bool(convolution.get_attr("data_format") == b"NHWC")


def signs_are_padded_right(
    graph: OperatorGraph, convolutions: Sequence[BinaryConvolution]
) -> Iterator[Finding]:
    """Padding between a sign and a binary convolution."""
    for convolution in convolutions:
        if convolution.padding is None or not _is_channels_last(convolution.operator):
            continue
        problem = _problem_of_padded_sign(convolution, convolution.padding)
        if problem is not None:
            yield Finding("error", convolution.layer.name, *problem)


def _problem_of_padded_sign(
    convolution: BinaryConvolution, padding: tf.Operation
) -> tuple[str, str] | None:
    number = 0.0 if len(padding.inputs) < 3 else constant_value(padding.inputs[2])
    if number is None or number != 1.0:
        shown = "something else" if number is None else f"{float(number):g}"
        return (
            f"its signs are padded with {shown}, not with 1; the layer would stay "
            "float.",
            'use padding="same" with pad_values=1.0 or 0.0, or pad in front of the '
            "sign.",
        )
    axes = _axes(convolution.operator, padding, convolution.extent)
    if axes is None:
        return (
            f"it pads an input of size {_size(convolution.sign.operand)}, which is not "
            "fixed; the layer would stay float.",
            "build the model with a fixed input shape.",
        )
    if not all(axis.is_taken_for_same() for axis in axes):
        return (
            'its signs are padded explicitly, and not as padding="same" does; the '
            "layer would stay float.",
            'use padding="same", or pad in front of the sign.',
        )
    if not all(axis.begins_as_same() for axis in axes):
        return (
            'its signs are padded explicitly, which LCE takes for padding="same"; with '
            "this stride and size that begins at another pixel, so all values are "
            "wrong.",
            'use padding="same", or pad in front of the sign.',
        )
    return None


def _size(tensor: tf.Tensor) -> tuple[int | None, ...]:
    return tuple(tensor.shape.as_list()[1:3])


def float_padding_is_computed_right(
    graph: OperatorGraph, convolutions: Sequence[BinaryConvolution]
) -> Iterator[Finding]:
    """Zeros in front of strided convolutions, which begin where "same" does not."""
    binary = {one.operator.name for one in convolutions}
    for operator, layer in graph.convolutions("Conv2D", "DepthwiseConv2dNative"):
        padding = graph.inputs(operator)[0].op
        if operator.name in binary or not _is_read_only_as_zeros(graph, padding):
            continue
        if operator.get_attr("padding") != b"VALID" or not _is_channels_last(operator):
            continue
        extent = operator.inputs[1].shape.as_list()[:2]  # none is dilated and strided
        axes = _axes(operator, padding, extent)
        if axes is None or not all(axis.is_taken_for_same() for axis in axes):
            continue
        if not all(axis.begins_as_same() for axis in axes):
            yield Finding(
                "error",
                layer.name,
                'zeros are padded in front of it, which LCE takes for padding="same"; '
                "with this stride and size that begins at another pixel, so all values "
                "are wrong.",
                'use padding="same", or a ZeroPadding2D and a Conv2D or '
                "DepthwiseConv2D that are called once each: then the export moves the "
                "zeros into the kernel.",
            )


def _is_read_only_as_zeros(graph: OperatorGraph, padding: tf.Operation) -> bool:
    if padding.type not in PADS or graph.only_reader(padding.outputs[0]) is None:
        return False
    return len(padding.inputs) < 3 or constant_value(padding.inputs[2]) == 0.0


def zeros_are_padded_right(
    graph: OperatorGraph, convolutions: Sequence[BinaryConvolution]
) -> Iterator[Finding]:
    """Binary convolutions that pad with zeros, which are no signs."""
    for convolution in convolutions:
        if not convolution.pads_with_zeros:
            continue
        size, extent = _size(convolution.sign.operand), convolution.extent
        # Not documented anywhere: found by comparing the kernels of LCE 0.16 on inputs
        # of every small size. Only the reference kernel is right.
        if any(n is not None and n < k for n, k in zip(size, extent)):
            yield Finding(
                "error",
                convolution.layer.name,
                f"it pads a {size[0]}x{size[1]} input with zeros for a kernel that "
                f"reaches over {extent[0]}x{extent[1]}; LCE computes wrong values "
                "where the input is smaller than the kernel.",
                "use pad_values=1.0, or a larger input.",
            )
        else:
            yield Finding(
                "slower",
                convolution.layer.name,
                "it pads with zeros, which LCE corrects at run time, always with float "
                "output, also where a sign follows.",
                "use pad_values=1.0 if the network can be trained with it.",
            )


def reference_kernel_can_pad(
    graph: OperatorGraph, convolutions: Sequence[BinaryConvolution]
) -> Iterator[Finding]:
    """Zero padding that LCE's reference kernel refuses."""
    for convolution in convolutions:
        channels = convolution.operator.inputs[1].shape[2]
        if convolution.pads_with_zeros and channels % 2:
            yield Finding(
                "note",
                convolution.layer.name,
                "it pads an odd number of channels with zeros, which LCE's reference "
                "kernel refuses; the default and the indirect kernel run it.",
                "use pad_values=1.0 where the reference kernel has to run.",
            )
