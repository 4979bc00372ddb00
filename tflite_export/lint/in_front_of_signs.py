"""Rules about what stands in front of a sign and costs time there.

A shift or a normalisation is free if it folds into a convolution in front of it, and an
activation if that convolution or a sum can compute it. Between two binary convolutions
there are then packed bits alone.
"""

import itertools
from collections.abc import Iterator, Sequence

import tensorflow as tf

from tflite_export.findings import Finding
from tflite_export.lint.binary_convolutions import BinaryConvolution
from tflite_export.lint.operator_graph import OperatorGraph
from tflite_export.lint.operator_kinds import (
    bounds_name,
    fuses_into_lce,
    is_affine,
    is_bound,
    is_pool,
    is_scale,
    is_shift,
)
from tflite_export.lint.sign_forms import find_sign

__all__ = [
    "activations_are_needed",
    "averages_are_of_floats",
    "shifts_fold",
    "statistics_are_fixed",
]

_FOLDING = ("Conv2D", "DepthwiseConv2dNative", "MatMul")
_SUMS = ("Add", "AddV2")
_SQUASHING = {"Erf": "ERF", "Softsign": "softsign", "Tanh": "TANH"}
_COMPARISONS = ("Greater", "GreaterEqual", "Less", "LessEqual", "Sign")
_REDUCTIONS = ("Max", "Mean", "Min", "Sum")
_COMBINATIONS = ("Add", "AddV2", "Mul", "RealDiv", "Sub")


def _with_right_signs(
    convolutions: Sequence[BinaryConvolution],
) -> list[BinaryConvolution]:
    return [one for one in convolutions if not one.sign.wrong_because]


def _steps(
    graph: OperatorGraph, convolution: BinaryConvolution
) -> tuple[list[tf.Operation], tf.Operation]:
    """The operators in front of a sign that only it needs, last first.

    Normalisations, activations and pools, then the one that gives what they take.
    """
    steps: list[tf.Operation] = []
    tensor = convolution.sign.operand
    while _only_signs_read(graph, tensor) if not steps else _read_once(graph, tensor):
        operator = tensor.op
        if not (
            is_affine(graph, operator) or is_bound(graph, operator) or is_pool(operator)
        ):
            break
        steps.append(operator)
        (tensor,) = graph.data_inputs(operator)
    return steps, tensor.op


def _read_once(graph: OperatorGraph, tensor: tf.Tensor) -> bool:
    return graph.only_reader(tensor) is not None


def _only_signs_read(graph: OperatorGraph, tensor: tf.Tensor) -> bool:
    """Equal signs of several convolutions are one sign for the converter."""
    readers = {operator.type for operator in graph.readers(tensor)}
    return not graph.is_output(tensor) and readers <= {*_COMPARISONS}


def _without_activation(
    graph: OperatorGraph, steps: list[tf.Operation]
) -> list[tf.Operation]:
    """The steps that are left behind an activation directly in front of the sign."""
    return [*itertools.dropwhile(lambda one: is_bound(graph, one), steps)]


def shifts_fold(
    graph: OperatorGraph, convolutions: Sequence[BinaryConvolution]
) -> Iterator[Finding]:
    """Shifts and normalisations in front of a sign that stay operators."""
    for convolution in _with_right_signs(convolutions):
        steps, producer = _steps(graph, convolution)
        steps = _without_activation(graph, steps)
        affine = [*itertools.takewhile(lambda one: is_affine(graph, one), steps)]
        before = steps[len(affine) :]
        source = before[0] if before else producer
        if not affine or source.type in _FOLDING:
            continue
        if _is_among(convolutions, producer) and not _without_activation(graph, before):
            continue  # a rule on that convolution tells whether the activation fuses
        yield Finding(
            "slower",
            convolution.layer.name,
            f"{_name_of_affine(graph, affine)} in front of its sign folds into "
            f"nothing, because it comes {_behind(graph, source)}.",
            _remedy(source),
        )


def _is_among(
    convolutions: Sequence[BinaryConvolution], operator: tf.Operation
) -> bool:
    return any(one.operator is operator for one in convolutions)


def _name_of_affine(graph: OperatorGraph, operators: list[tf.Operation]) -> str:
    if all(is_shift(graph, one) for one in operators):
        return "a shift (ADD)"
    if all(is_scale(graph, one) for one in operators):
        return "a scale (MUL)"
    return "a normalisation (MUL and ADD)"


def _behind(graph: OperatorGraph, source: tf.Operation) -> str:
    if source.type == "MaxPool":
        return "behind a max pool; nor are there packed bits in between"
    if isinstance(graph.layer_of(source), tf.keras.layers.PReLU):
        return "behind a PReLU"
    if source.type in _SUMS:
        return "behind a sum"
    if source.type == "Placeholder":
        return "behind an input of the model"
    return f"behind a {source.type}, and not behind a convolution"


def _remedy(source: tf.Operation) -> str:
    if source.type == "MaxPool":
        return "normalise in front of the pool: convolution, normalisation, pool, sign."
    if source.type in _SUMS:
        return "normalise the convolution in front of the sum, and take the sign of it."
    return "put it directly behind a convolution."


def activations_are_needed(
    graph: OperatorGraph, convolutions: Sequence[BinaryConvolution]
) -> Iterator[Finding]:
    """Activations in front of a sign that stay operators and change nothing."""
    for convolution in _with_right_signs(convolutions):
        steps, producer = _steps(graph, convolution)
        if producer.type in _SQUASHING and not steps:
            yield _needless(convolution, _SQUASHING[producer.type])
            continue
        before = _without_activation(graph, steps)
        activation = steps[: len(steps) - len(before)]
        is_chained = all(is_affine(graph, one) for one in before)
        if not activation or (is_chained and _is_among(convolutions, producer)):
            continue  # as above
        name = bounds_name(activation)
        source = before[0] if before else producer
        is_fused = source.type in (*_FOLDING, *_SUMS) or is_affine(graph, source)
        if name in ("ReLU", "ReLU6") or (fuses_into_lce(name) and is_fused):
            continue
        yield _needless(convolution, name)


def _needless(convolution: BinaryConvolution, name: str) -> Finding:
    return Finding(
        "slower",
        convolution.layer.name,
        f"a {name} in front of its sign stays an operator, on floats.",
        "leave it out: the sign is the same without it.",
    )


def averages_are_of_floats(
    graph: OperatorGraph, convolutions: Sequence[BinaryConvolution]
) -> Iterator[Finding]:
    """Averages of signs, which are unpacked for it."""
    for convolution in _with_right_signs(convolutions):
        operator = convolution.sign.operand.op
        if operator.type != "AvgPool":
            continue
        if find_sign(graph, graph.inputs(operator)[0]) is not None:
            yield Finding(
                "slower",
                convolution.layer.name,
                "its input is an average of signs; LCE unpacks the bits, averages "
                "floats and packs them again.",
                "use a max pool, or pool in front of the first sign.",
            )


def statistics_are_fixed(
    graph: OperatorGraph, convolutions: Sequence[BinaryConvolution]
) -> Iterator[Finding]:
    """Signs of data that is centred or scaled by its own statistics."""
    for convolution in _with_right_signs(convolutions):
        _, producer = _steps(graph, convolution)
        sources = [tensor.op.type for tensor in graph.data_inputs(producer)]
        if producer.type in _COMBINATIONS and any(x in _REDUCTIONS for x in sources):
            yield Finding(
                "note",
                convolution.layer.name,
                "its input is centred or scaled by statistics of the data, which are "
                "computed anew for each image.",
                "use a batch normalisation, whose statistics are fixed, where latency "
                "matters.",
            )
