"""Which binary layers of a Keras model became `LceBconv2d`: expected against actual."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import tensorflow as tf

from tflite_export.findings import Finding
from tflite_export.flatbuffer import Flatbuffer, Operator
from tflite_export.layer_walk import all_layers, is_binary

__all__ = ["BinaryLayer", "find_binary_layers", "left_float"]

_BINARY_CONV = "LceBconv2d"


@dataclass(frozen=True)
class BinaryLayer:
    """A layer that is to be binary, and what became of it.

    # Attributes
        layer: Name of the Keras layer.
        kernel_shape: Of the latent kernel, [H, W, C_in, C_out] for a convolution.
        output_shape: Without the batch.
        macs: Multiply-accumulates for one image.
        operator: "LceBconv2d", or "" if the converter left the layer float.
        constant_bytes: Weights and thresholds of that operator.
        writes_bits: Whether its output is packed bits.
    """

    layer: str
    kernel_shape: tuple[int, ...]
    output_shape: tuple[int, ...]
    macs: int
    operator: str
    constant_bytes: int
    writes_bits: bool


def _carries_name(operator: Operator, layer: tf.keras.layers.Layer) -> bool:
    return any(layer.name in name.split("/") for name in operator.names)


def _sign_carries_name(operator: Operator, layer: tf.keras.layers.Layer) -> bool:
    """Of the first of the layers that take the same sign."""
    return any(layer.name in name.split("/") for name in operator.inputs[0].names)


def _has_shape_of(operator: Operator, layer: tf.keras.layers.Layer) -> bool:
    height, width, _, filters = layer.kernel.shape
    kernel = operator.inputs[1].shape  # [C_out, H, W, packed C_in]
    return (
        kernel[:3] == (filters, height, width)
        and operator.outputs[0].shape[1:3] == layer.get_output_shape_at(0)[1:3]
    )


def _assign(
    layers: Sequence[tf.keras.layers.Layer], operators: Sequence[Operator]
) -> dict[str, Operator]:
    """Pairs layers with operators: by name, then, for cut-off names, by shape alone."""
    left = list(operators)
    assigned: dict[str, Operator] = {}
    for rules in (
        # One that writes bits carries the name of the next layer, too.
        (_has_shape_of, _sign_carries_name, _carries_name),
        (_has_shape_of, _sign_carries_name),
        (_has_shape_of, _carries_name),
        (_has_shape_of,),
    ):
        for layer in layers:
            if layer.name in assigned or len(layer.kernel.shape) != 4:
                continue
            fitting = (o for o in left if all(fits(o, layer) for fits in rules))
            operator = next(fitting, None)
            if operator is not None:
                assigned[layer.name] = operator
                left.remove(operator)
    return assigned


def find_binary_layers(
    model: tf.keras.Model, flatbuffer: Flatbuffer
) -> list[BinaryLayer]:
    """All layers of a model that are to be binary, with their operators.

    # Arguments
        model: The float32 model that was converted.
        flatbuffer: What became of it.
    """
    layers = [layer for layer in all_layers(model) if is_binary(layer)]
    convolutions = [layer for layer in layers if hasattr(layer, "kernel")]
    operators = [o for o in flatbuffer.operators if o.name == _BINARY_CONV]
    assigned = _assign(convolutions, operators)
    return [_describe(layer, assigned.get(layer.name)) for layer in layers]


def _describe(layer: tf.keras.layers.Layer, operator: Operator | None) -> BinaryLayer:
    kernels = [weight for weight in layer.weights if "bias" not in weight.name]
    output_shape = tuple(layer.get_output_shape_at(0)[1:])
    pixels = math.prod(output_shape[:-1])
    return BinaryLayer(
        layer=layer.name,
        kernel_shape=tuple(kernels[0].shape),
        output_shape=output_shape,
        macs=pixels * sum(math.prod(kernel.shape) for kernel in kernels),
        operator="" if operator is None else operator.name,
        constant_bytes=(
            0 if operator is None else sum(x.constant_bytes for x in operator.inputs)
        ),
        writes_bits=operator is not None and operator.outputs[0].dtype == "int32",
    )


def left_float(layers: Sequence[BinaryLayer]) -> list[Finding]:
    """A finding for each layer that the converter left float."""
    binary = sum(bool(layer.operator) for layer in layers)
    return [
        Finding(
            "error",
            layer.layer,
            f"the converter left it float ({binary} of {len(layers)} binary layers "
            f"became {_BINARY_CONV}).",
            "use a QuantConv2D with quantizers whose forward pass is larq.math.sign, "
            "for kernels times one scale per output channel.",
        )
        for layer in layers
        if not layer.operator
    ]
