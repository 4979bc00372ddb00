"""Rules about single layers: which kinds there are binary kernels for."""

from collections.abc import Iterator
from typing import Any

import larq as lq
import tensorflow as tf

from tflite_export.findings import Finding
from tflite_export.layer_kind import is_a
from tflite_export.layer_walk import (
    all_layers,
    input_quantizer,
    is_binary,
    kernel_quantizers,
)

__all__ = [
    "binary_kernel_exists",
    "channels_fill_words",
    "convolution_is_supported",
    "layer_is_wholly_binary",
    "slopes_are_an_operator",
]

_LANES = 32  # channels that LCE packs into one word
_FILTERS = 8  # that its kernels compute at once

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


def _input_shape(layer: tf.keras.layers.Layer) -> tuple[Any, ...]:
    return layer.get_input_shape_at(0)  # a shared layer has several


def _is_binary_convolution(layer: tf.keras.layers.Layer) -> bool:
    return isinstance(layer, lq.layers.QuantConv2D) and is_binary(layer)


def layer_is_wholly_binary(model: tf.keras.Model) -> Iterator[Finding]:
    """Layers that quantize only their inputs or, other than `QuantConv2D`, weights."""
    for layer in all_layers(model):
        has_kernel = bool(kernel_quantizers(layer))
        if input_quantizer(layer) is not None and not has_kernel:
            yield Finding(
                "slower",
                layer.name,
                "only the input is binary; LCE packs the bits and unpacks them again.",
                "binarize the kernel as well, or leave the input in full precision.",
            )
        elif has_kernel and input_quantizer(layer) is None:
            if not isinstance(layer, lq.layers.QuantConv2D):
                yield Finding(
                    "note",
                    layer.name,
                    "it quantizes only its weights; LCE runs it as float.",
                    "binarize the input as well if it is to be small and fast.",
                )


def binary_kernel_exists(model: tf.keras.Model) -> Iterator[Finding]:
    """Kinds of layers that Larq has, and LCE has no binary kernel for."""
    for layer in all_layers(model):
        for larq_class, remedy in _NO_BINARY_KERNEL.items():
            kind = getattr(lq.layers, larq_class)
            if isinstance(layer, kind) and is_binary(layer):
                if not is_a(layer, kind):
                    remedy = (
                        f"use {larq_class} itself: of {type(layer).__name__}, which "
                        "derives from it, the export does not know what it computes."
                    )
                crash = ", or crash the converter" if "Dense" in larq_class else ""
                yield Finding(
                    "error",
                    layer.name,
                    f"LCE has no binary kernel for {larq_class}; the layer would stay "
                    f"float{crash}.",
                    remedy,
                )


def convolution_is_supported(model: tf.keras.Model) -> Iterator[Finding]:
    """Arguments of binary convolutions that LCE does not take."""
    for layer in filter(_is_binary_convolution, all_layers(model)):
        if layer.data_format != "channels_last":
            yield Finding(
                "error",
                layer.name,
                f"its data format is {layer.data_format}; the layer would stay float.",
                'use data_format="channels_last".',
            )
        elif layer.groups > 1:
            packed = _input_shape(layer)[-1] // layer.groups % _LANES == 0
            yield Finding(
                "error",
                layer.name,
                f"it has {layer.groups} groups, which "
                + ("LCE's default kernel rejects." if packed else "would stay float."),
                "use groups=1, or split the layer into one convolution per group.",
            )


def channels_fill_words(model: tf.keras.Model) -> Iterator[Finding]:
    """Numbers of channels that leave a part of LCE's words and registers empty."""
    for layer in filter(_is_binary_convolution, all_layers(model)):
        if layer.data_format != "channels_last":
            continue
        if _input_shape(layer)[-1] % _LANES:
            yield Finding(
                "note",
                layer.name,
                f"its input channels are no multiple of {_LANES}; LCE packs {_LANES} "
                "into a word and fills up the last.",
                f"use multiples of {_LANES} where the network allows it.",
            )
        elif layer.filters % _FILTERS:
            yield Finding(
                "note",
                layer.name,
                f"its filters are no multiple of {_FILTERS}, which LCE computes at "
                "once.",
                f"use multiples of {_FILTERS} where the network allows it.",
            )


def slopes_are_an_operator(model: tf.keras.Model) -> Iterator[Finding]:
    """PReLUs of binary networks, of which nothing fuses."""
    layers = [*all_layers(model)]
    if not any(map(is_binary, layers)):
        return
    for layer in layers:
        if isinstance(layer, tf.keras.layers.PReLU):
            yield Finding(
                "note",
                layer.name,
                "a PReLU stays an operator of its own; nor does a normalisation behind "
                "it fold.",
                "use none, or a ReLU directly behind the convolution, where latency "
                "matters.",
            )
