"""Findings as a whole: good networks, order, and what is grouped."""

import pytest
import tensorflow as tf

import tflite_export
import zoo
from tests.tflite_export.lint.lint_case import conv

CHANNELS = "input channels are no multiple of 32"
POOLED = "behind a max pool"
HARD_TANH = "the hard tanh behind it does not fuse"
ZEROS = "pads with zeros"


@pytest.mark.parametrize(
    "build, expected",
    [
        (
            lambda: zoo.ResNet20("irnet", pad_values=1.0),
            [("note", CHANNELS)],  # the 16 channels of its first stage
        ),
        (
            lambda: zoo.ResNet20("irnet"),
            [("note", CHANNELS), *[("slower", ZEROS)] * 18],
        ),
        (
            lambda: zoo.VGGSmall("irnet", pad_values=1.0),
            # it pools in front of its normalisations, and has no shortcuts
            [("slower", POOLED), ("slower", HARD_TANH)] * 2,
        ),
        (lambda: zoo.ResNet18("irnet", pad_values=1.0), []),
        (
            lambda: zoo.ResNet20("float"),
            [],
        ),
        (
            lambda: zoo.ResNet20("irnet_w1a32"),
            [("note", "quantizes only its weights")],
        ),
    ],
    ids=["ResNet20", "zeros", "VGGSmall", "ResNet18", "float", "weights"],
)
def test_networks_of_the_zoo(build, expected):
    found = {(one.severity, one.reason) for one in tflite_export.lint(build())}
    assert {severity for severity, _ in found} == {severity for severity, _ in expected}
    for _, words in expected:
        assert any(words in reason for _, reason in found)


def test_findings_are_in_the_order_of_the_layers():
    inputs = tf.keras.Input((8, 8, 32))
    x = conv("one", kernel_quantizer="ste_tern", pad_values=0.0)(inputs)
    x = conv("two", pad_values=0.0)(x)
    findings = tflite_export.lint(tf.keras.Model(inputs, x))
    layers = [(one.layer, one.severity) for one in findings]
    assert layers == [("one", "error"), ("one", "slower"), ("two", "slower")]


@pytest.mark.parametrize(
    "count, layer", [(1, "c0"), (3, "c0, c1, c2"), (5, "c0, c1, c2 and 2 more")]
)
def test_equal_notes_are_one(count, layer):
    inputs = x = tf.keras.Input((8, 8, 16))
    for index in range(count):
        x = conv(f"c{index}", filters=16)(x)
    (finding,) = tflite_export.lint(tf.keras.Model(inputs, x))
    assert (finding.severity, finding.layer) == ("note", layer)
    assert CHANNELS in finding.reason


def test_a_float_model_has_no_findings():
    inputs = tf.keras.Input((8, 8, 3))
    x = tf.keras.layers.PReLU()(tf.keras.layers.Conv2D(4, 3)(inputs))
    assert tflite_export.lint(tf.keras.Model(inputs, x)) == []
