"""Rules about what stands behind a binary convolution and does not fold into it."""

from collections.abc import Iterator, Sequence

import numpy as np
import tensorflow as tf

from tflite_export.findings import Finding
from tflite_export.lint.binary_convolutions import BinaryConvolution
from tflite_export.lint.kernels import quantized_kernel
from tflite_export.lint.operator_graph import OperatorGraph
from tflite_export.lint.operator_kinds import (
    bounds_name,
    fuses_into_lce,
    is_affine,
    is_bound,
)

__all__ = ["activations_fuse", "gates_are_known", "scales_are_of_channels"]

_UNIT_TOLERANCE = 0.005  # the converter's own


def _follow(
    graph: OperatorGraph, convolution: BinaryConvolution
) -> tuple[list[tf.Operation], list[tf.Operation], list[tf.Operation]]:
    """Shifts and scales behind a convolution, the activation, shifts and scales."""
    chain: list[tf.Operation] = []
    (tensor,) = convolution.operator.outputs
    while (reader := graph.only_reader(tensor)) is not None:
        if not (is_affine(graph, reader) or is_bound(graph, reader)):
            break
        chain.append(reader)
        tensor = reader.outputs[0]
    parts: list[list[tf.Operation]] = []
    for belongs in (is_affine, is_bound, is_affine):
        count = 0
        while count < len(chain) and belongs(graph, chain[count]):
            count += 1
        parts.append(chain[:count])
        chain = chain[count:]
    before, activation, after = parts
    return before, activation, after


def activations_fuse(
    graph: OperatorGraph, convolutions: Sequence[BinaryConvolution]
) -> Iterator[Finding]:
    """Activations that stay operators, and normalisations that these keep out."""
    for convolution in convolutions:
        before, activation, after = _follow(graph, convolution)
        if not activation:
            continue
        name = bounds_name(activation)
        obstacle = _obstacle(convolution, name, before)
        if obstacle is None:
            continue
        cause, remedy = obstacle
        kept_out = " with the normalisation behind it (MUL and ADD)" if after else ""
        yield Finding(
            "slower",
            convolution.layer.name,
            f"the {name} behind it does not fuse, because {cause}; it stays an "
            f"operator{kept_out}, on floats.",
            remedy,
        )


def _obstacle(
    convolution: BinaryConvolution, activation: str, before: list[tf.Operation]
) -> tuple[str, str] | None:
    """Why an activation does not fuse and what to do; `None` if it does."""
    if not fuses_into_lce(activation):
        return f"LCE has no {activation}", "use a ReLU, or none."
    drop = "A hard tanh in front of a sign can be left out."
    if any(operator.type != "BiasAdd" for operator in before):
        return (
            "a normalisation or scale is in between",
            f"put the activation directly behind the convolution. {drop}",
        )
    if before:
        return "the convolution has a bias", "leave the normalisation to shift."
    if convolution.pads_with_zeros:
        return "the convolution pads with zeros", 'use pad_values=1.0 or "valid".'
    magnitude = np.abs(quantized_kernel(convolution.layer))
    if np.abs(magnitude - 1.0).max() > _UNIT_TOLERANCE:
        return (
            "the weights have scales",
            f"scale behind the activation, by layers.ChannelScale. {drop}",
        )
    return None


def scales_are_of_channels(
    graph: OperatorGraph, convolutions: Sequence[BinaryConvolution]
) -> Iterator[Finding]:
    """Constants of several axes, which LCE fuses and then refuses or misreads."""
    for convolution in convolutions:
        before, activation, after = _follow(graph, convolution)
        if activation and _obstacle(convolution, bounds_name(activation), before):
            after = []
        for operator in (*before, *after):
            shapes = [
                tuple(tensor.shape.as_list())
                for tensor in graph.inputs(operator)
                if not graph.is_data(tensor)
            ]
            if max(map(len, shapes)) > 1:
                shape = max(shapes, key=len)
                yield Finding(
                    "error",
                    convolution.layer.name,
                    f"it is multiplied by or added to a constant of shape {shape}; LCE "
                    "fuses that, and refuses it at run time, or computes wrong bits.",
                    f"use the shape {shape[-1:]}.",
                )


def gates_are_known(
    graph: OperatorGraph, convolutions: Sequence[BinaryConvolution]
) -> Iterator[Finding]:
    """Outputs that are multiplied by something that is computed from the data."""
    for convolution in convolutions:
        before, activation, after = _follow(graph, convolution)
        last = [convolution.operator, *before, *activation, *after][-1]
        for reader in graph.readers(last.outputs[0]):
            if reader.type == "Mul" and len(graph.data_inputs(reader)) > 1:
                yield Finding(
                    "note",
                    convolution.layer.name,
                    "its output is multiplied by values that are computed from the "
                    "data, as in gating; what computes them stays in float.",
                    "use layers.ChannelScale, which is fixed, where latency matters.",
                )
