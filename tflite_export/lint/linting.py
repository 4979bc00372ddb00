"""All rules on a model: at most one finding of each rule for a layer."""

from collections.abc import Callable, Iterable, Iterator, Sequence

import tensorflow as tf

from tflite_export.findings import Finding
from tflite_export.inference_function import check_is_functional
from tflite_export.layer_walk import all_layers
from tflite_export.lint import (
    behind_convolutions,
    in_front_of_signs,
    input_signs,
    kernels,
    layer_rules,
    paddings,
)
from tflite_export.lint.binary_convolutions import (
    BinaryConvolution,
    binary_convolutions,
)
from tflite_export.lint.operator_graph import OperatorGraph

__all__ = ["lint"]

_LAYER_RULES: tuple[Callable[[tf.keras.Model], Iterator[Finding]], ...] = (
    layer_rules.layer_is_wholly_binary,
    layer_rules.binary_kernel_exists,
    layer_rules.convolution_is_supported,
    layer_rules.channels_fill_words,
    layer_rules.slopes_are_an_operator,
)
_GRAPH_RULES: tuple[
    Callable[[OperatorGraph, Sequence[BinaryConvolution]], Iterator[Finding]], ...
] = (
    input_signs.signs_are_computed_right,
    input_signs.inputs_are_signs,
    input_signs.comparisons_are_absorbed,
    kernels.kernels_are_binary,
    paddings.signs_are_padded_right,
    paddings.zeros_are_padded_right,
    paddings.float_padding_is_computed_right,
    paddings.reference_kernel_can_pad,
    behind_convolutions.scales_are_of_channels,
    behind_convolutions.activations_fuse,
    behind_convolutions.gates_are_known,
    in_front_of_signs.shifts_fold,
    in_front_of_signs.activations_are_needed,
    in_front_of_signs.averages_are_of_floats,
    in_front_of_signs.statistics_are_fixed,
)
_NAMED = 3  # layers of a note that are listed by name


def lint(model: tf.keras.Model) -> list[Finding]:
    """All findings about a model as it is, in the order of its layers.

    `export` rewrites some layers before it lints, such as binary dense layers.

    # Arguments
        model: A built functional or sequential Keras model in float32, inner models
            included.

    # Returns
        At most one finding of each rule for a layer. A note that holds for several
        layers is one finding.

    # Raises
        ValueError: for other models.

    # Example
        >>> layer = lq.layers.QuantConv2D(
        ...     8, 3, input_quantizer="ste_tern", name="conv", input_shape=(8, 8, 32)
        ... )
        >>> for finding in lint(tf.keras.Sequential([layer])):
        ...     print(finding.severity, finding.layer)
        slower conv
        error conv
    """
    check_is_functional(model)
    graph = OperatorGraph(model)
    convolutions = binary_convolutions(graph)
    findings: list[Finding] = []
    for layer_rule in _LAYER_RULES:
        findings.extend(_one_each(layer_rule(model)))
    for graph_rule in _GRAPH_RULES:
        findings.extend(_one_each(graph_rule(graph, convolutions)))
    order = {layer.name: place for place, layer in enumerate(all_layers(model))}
    findings.sort(key=lambda finding: order.get(finding.layer, -1))
    return _with_notes_grouped(findings)


def _one_each(findings: Iterable[Finding]) -> list[Finding]:
    """The first finding about each layer."""
    first: dict[str, Finding] = {}
    for finding in findings:
        first.setdefault(finding.layer, finding)
    return [*first.values()]


def _with_notes_grouped(findings: Sequence[Finding]) -> list[Finding]:
    """The same, with one note for the layers that it holds for."""
    layers: dict[tuple[str, str], list[str]] = {}
    for one in findings:
        if one.severity == "note":
            layers.setdefault((one.reason, one.remedy), []).append(one.layer)
    grouped = []
    for one in findings:
        if one.severity != "note":
            grouped.append(one)
        elif (names := layers.pop((one.reason, one.remedy), None)) is not None:
            grouped.append(Finding("note", _listed(names), one.reason, one.remedy))
    return grouped


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_NAMED])
    more = len(names) - _NAMED
    return f"{shown} and {more} more" if more > 0 else shown
