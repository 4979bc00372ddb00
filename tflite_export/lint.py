"""What in a model Larq Compute Engine would leave float, or silently get wrong.

Looks at the Keras model alone, before anything is converted. Each rule is a function
from a layer to findings.
"""

from collections.abc import Callable, Iterator
from typing import Any

import larq as lq
import tensorflow as tf

from larq_irnet.quantized_scope import quantized_scope
from tflite_export.findings import Finding
from tflite_export.layer_walk import (
    all_layers,
    input_quantizer,
    is_binary,
    kernel_quantizers,
)
from tflite_export.quantizer_forms import explain_input_quantizer, explain_kernel

__all__ = ["lint"]

_LANES = 32  # channels that LCE packs into one word

_SIGN = (
    'use a quantizer whose forward pass is larq.math.sign, such as "ede_sign" or '
    '"ste_sign", and keep scales out of it.'
)
_NO_BINARY_KERNEL = {
    "QuantDense": (
        "give it inputs [N, C], and call it once, so that the export can make a 1x1 "
        "convolution of it, or leave it in full precision (input_quantizer=None, "
        "kernel_quantizer=None)."
    ),
    "QuantConv1D": "use a QuantConv2D with a (1, k) kernel.",
    "QuantDepthwiseConv2D": "leave the layer in full precision.",
    "QuantSeparableConv1D": "leave the layer in full precision.",
    "QuantSeparableConv2D": (
        "use a float DepthwiseConv2D and a QuantConv2D with a 1x1 kernel."
    ),
    "QuantConv2DTranspose": "use UpSampling2D and a QuantConv2D.",
    "QuantConv3D": "leave the layer in full precision.",
    "QuantConv3DTranspose": "leave the layer in full precision.",
    "QuantLocallyConnected1D": "leave the layer in full precision.",
    "QuantLocallyConnected2D": "leave the layer in full precision.",
}


def lint(model: tf.keras.Model) -> list[Finding]:
    """All findings about a built model, in the order of its layers.

    # Arguments
        model: A built Keras model in float32, nested models included.

    # Example
        >>> layer = lq.layers.QuantConv2D(
        ...     2, 3, input_quantizer="ste_tern", name="conv", input_shape=(8, 8, 4)
        ... )
        >>> for finding in lint(tf.keras.Sequential([layer])):
        ...     print(finding.severity, finding.layer)
        slower conv
        error conv
    """
    findings: list[Finding] = []
    for layer in all_layers(model):
        for rule in _RULES:
            findings.extend(rule(layer))
    return findings


def _error(layer: tf.keras.layers.Layer, reason: str, remedy: str) -> Finding:
    return Finding("error", layer.name, reason, remedy)


def _input_shape(layer: tf.keras.layers.Layer) -> tuple[Any, ...]:
    return layer.get_input_shape_at(0)  # a shared layer has several


def _quantized_halfway(layer: tf.keras.layers.Layer) -> Iterator[Finding]:
    has_input = input_quantizer(layer) is not None
    has_kernel = bool(kernel_quantizers(layer))
    if has_kernel and not has_input:
        yield Finding(
            "note",
            layer.name,
            "it quantizes only its weights; LCE runs it as float, unless "
            "a layer in front takes the sign.",
            "binarize the input as well if it is to be small and fast.",
        )
    if has_input and not has_kernel:
        yield Finding(
            "slower",
            layer.name,
            "only the input is binary; LCE packs the bits and unpacks them again.",
            "binarize the kernel as well, or leave the input in full precision.",
        )


def _binary_kernel_exists(layer: tf.keras.layers.Layer) -> Iterator[Finding]:
    for larq_class, remedy in _NO_BINARY_KERNEL.items():
        if is_binary(layer) and isinstance(layer, getattr(lq.layers, larq_class)):
            yield _error(
                layer,
                f"LCE has no binary kernel for {larq_class}; the layer would stay "
                "float.",
                remedy,
            )


def _input_quantizer_is_recognised(layer: tf.keras.layers.Layer) -> Iterator[Finding]:
    if input_quantizer(layer) is None:
        return
    reason = explain_input_quantizer(input_quantizer(layer), _input_shape(layer)[-1])
    if reason is not None:
        yield _error(layer, reason, _SIGN)


def _kernel_is_binary(layer: tf.keras.layers.Layer) -> Iterator[Finding]:
    if not (is_binary(layer) and isinstance(layer, lq.layers.QuantConv2D)):
        return
    with quantized_scope(True):
        kernel = tf.convert_to_tensor(layer.kernel).numpy()
    reason = explain_kernel(kernel)
    if reason is not None:
        yield _error(
            layer,
            reason,
            "use a kernel quantizer that gives sign times one scale per output "
            'channel, such as "libra_pb" or "ste_sign".',
        )


def _is_same_padded(layer: tf.keras.layers.Layer) -> bool:
    return layer.padding == "same" and tuple(layer.kernel_size) != (1, 1)


def _conv_is_supported(layer: tf.keras.layers.Layer) -> Iterator[Finding]:
    if not (is_binary(layer) and isinstance(layer, lq.layers.QuantConv2D)):
        return
    if layer.data_format != "channels_last":
        yield _error(
            layer,
            f"its data format is {layer.data_format}; the layer would stay float.",
            'use data_format="channels_last".',
        )
    if layer.groups > 1:
        packed = _input_shape(layer)[-1] // layer.groups % _LANES == 0
        yield _error(
            layer,
            f"it has {layer.groups} groups, which "
            + ("LCE's default kernel rejects." if packed else "would stay float."),
            "use groups=1, or split the layer into one convolution per group.",
        )
    if _is_same_padded(layer) and layer.pad_values not in (0.0, 1.0):
        yield _error(
            layer,
            f"it pads with {layer.pad_values:g}; the layer would stay float.",
            "use pad_values=1.0, or 0.0.",
        )


def _padding_is_computed_right(layer: tf.keras.layers.Layer) -> Iterator[Finding]:
    if not (is_binary(layer) and isinstance(layer, lq.layers.QuantConv2D)):
        return
    if not _is_same_padded(layer):
        return
    height, width = _input_shape(layer)[1:3]
    if None in (height, width):
        yield _error(
            layer,
            f"its input size {(height, width)} is not fixed; padding needs it.",
            "build the model with a fixed input shape.",
        )
    elif layer.pad_values == 0.0:
        # Not documented anywhere: found by comparing the kernels of LCE 0.16 on inputs
        # of every small size. Only the reference kernel is right.
        extent = [
            (size - 1) * dilation + 1
            for size, dilation in zip(layer.kernel_size, layer.dilation_rate)
        ]
        if height < extent[0] or width < extent[1]:
            yield _error(
                layer,
                f"it pads a {height}x{width} input with zeros for a kernel that "
                f"reaches over {extent[0]}x{extent[1]}; LCE computes wrong values "
                "where the input is smaller than the kernel.",
                "use pad_values=1.0, or a larger input.",
            )
        else:
            yield Finding(
                "slower",
                layer.name,
                "it pads with zeros, which LCE corrects at run time, always with float "
                "output.",
                "use pad_values=1.0 if the network can be trained with it.",
            )


_RULES: tuple[Callable[[tf.keras.layers.Layer], Iterator[Finding]], ...] = (
    _quantized_halfway,
    _binary_kernel_exists,
    _input_quantizer_is_recognised,
    _kernel_is_binary,
    _conv_is_supported,
    _padding_is_computed_right,
)
