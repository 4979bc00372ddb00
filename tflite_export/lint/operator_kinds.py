"""What kinds of operators stand between a convolution and the next sign."""

import numpy as np
import tensorflow as tf

from tflite_export.lint.operator_graph import OperatorGraph, constant_value

__all__ = [
    "bounds_name",
    "fuses_into_lce",
    "is_affine",
    "is_bound",
    "is_pool",
    "is_scale",
    "is_shift",
]

_NORMALISATIONS = ("FusedBatchNorm", "FusedBatchNormV2", "FusedBatchNormV3")
_SHIFTS = ("Add", "AddV2", "BiasAdd", "Sub")
_SCALES = ("Mul", "RealDiv")
_ACTIVATIONS = {"Relu": "ReLU", "Relu6": "ReLU6", "LeakyRelu": "leaky ReLU"}
_LIMITS = ("Minimum", "Maximum")
_FUSED_BY_LCE = ("ReLU", "ReLU6", "hard tanh")


def is_shift(graph: OperatorGraph, operator: tf.Operation) -> bool:
    """Whether it adds constants to the data."""
    return operator.type in _SHIFTS and len(graph.data_inputs(operator)) == 1


def is_scale(graph: OperatorGraph, operator: tf.Operation) -> bool:
    """Whether it multiplies the data by constants."""
    return operator.type in _SCALES and len(graph.data_inputs(operator)) == 1


def is_affine(graph: OperatorGraph, operator: tf.Operation) -> bool:
    """Whether it scales or shifts the data by constants, as a normalisation does."""
    kinds = (*_SHIFTS, *_SCALES, *_NORMALISATIONS)
    return operator.type in kinds and len(graph.data_inputs(operator)) == 1


def is_bound(graph: OperatorGraph, operator: tf.Operation) -> bool:
    """Whether it is an activation made of straight lines, or a part of one."""
    is_limit = operator.type in _LIMITS and len(graph.data_inputs(operator)) == 1
    return operator.type in _ACTIVATIONS or is_limit


def is_pool(operator: tf.Operation) -> bool:
    """Whether it is a max pool."""
    return bool(operator.type == "MaxPool")


def bounds_name(operators: list[tf.Operation]) -> str:
    """The name of the activation that some operators, each a bound, make together."""
    if len(operators) == 1 and operators[0].type in _ACTIVATIONS:
        return _ACTIVATIONS[operators[0].type]
    return "hard tanh" if _limits(operators) == {-1.0, 1.0} else "clipping"


def _limits(operators: list[tf.Operation]) -> set[float]:
    values = [
        constant_value(tensor)
        for operator in operators
        if operator.type in _LIMITS
        for tensor in operator.inputs
    ]
    return {
        float(value) for value in values if value is not None and np.size(value) == 1
    }


def fuses_into_lce(activation: str) -> bool:
    """Whether a binary convolution can compute an activation itself."""
    return activation in _FUSED_BY_LCE
