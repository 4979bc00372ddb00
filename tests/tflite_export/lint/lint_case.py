"""A small network, what the lint says about it, and what the converter makes of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import larq as lq
import tensorflow as tf

import tflite_export
from tests.tflite_export.networks import randomize_batch_norms, randomize_channels
from tflite_export.findings import Finding

BINARY = "LceQuantize LceBconv2d"


@dataclass(frozen=True)
class Case:
    """One row of a table.

    # Attributes
        name: What is tried.
        build: From the input to the output.
        findings: Severity, layer and words of the reason of each finding.
        operators: What it is converted to, with a star behind operators that write
            packed bits; `None` if it is not converted in the tests.
        values: What the converted network computes: "right", "wrong", or nothing, as it
            is "refused" at run time.
        input_shape: Height, width and channels.
    """

    name: str
    build: Callable[[tf.Tensor], tf.Tensor]
    findings: Sequence[tuple[str, str, str]] = ()
    operators: str | None = BINARY
    values: str = "right"
    input_shape: tuple[int | None, ...] = (8, 8, 32)

    def model(self) -> tf.keras.Model:
        inputs = tf.keras.Input(self.input_shape)
        model = tf.keras.Model(inputs, self.build(inputs))
        return randomize_channels(randomize_batch_norms(model))

    def lint(self) -> list[Finding]:
        return tflite_export.lint(self.model())


def assert_lint_says_so(case: Case) -> None:
    findings = case.lint()
    expected = [(severity, layer) for severity, layer, _ in case.findings]
    assert [(one.severity, one.layer) for one in findings] == expected, findings
    for finding, (_, _, words) in zip(findings, case.findings):
        assert words in finding.reason
        assert finding.remedy.endswith(".")


def chain(*layers: Callable[[tf.Tensor], tf.Tensor]) -> Callable:
    """One layer behind the other."""

    def build(x: tf.Tensor) -> tf.Tensor:
        for layer in layers:
            x = layer(x)
        return x

    return build


def quantizer(function: Callable[[tf.Tensor], tf.Tensor]) -> Callable:
    return lq.utils.set_precision(1)(function)


def conv(name: str = "conv", filters: int = 32, size: Any = 3, **arguments: Any):
    """A binary convolution with weights of +-1, for a table of what surrounds it."""
    defaults = {
        "input_quantizer": "ste_sign",
        "kernel_quantizer": "ste_sign",
        "kernel_constraint": "weight_clip",
        "padding": "same",
        "pad_values": 1.0,
        "use_bias": False,
    }
    return lq.layers.QuantConv2D(filters, size, name=name, **{**defaults, **arguments})
