"""Which layers and arguments become `LceBconv2d`: kinds, channels, padding."""

import larq as lq
import pytest
import tensorflow as tf

import larq_irnet as irnet
import tflite_export
from tests.tflite_export.lint.lint_case import (
    BINARY,
    Case,
    assert_lint_says_so,
    chain,
    conv,
)

layers = tf.keras.layers
UNPACKED = "LceQuantize LceDequantize"
PADS_ZEROS = ("slower", "conv", "pads with zeros")
WORDS = ("note", "conv", "input channels are no multiple of 32")
FIXED = "is not fixed"


def case(name, findings=(), operators=BINARY, input_shape=(8, 8, 32), **arguments):
    return Case(
        name,
        lambda x: conv(**arguments)(x),
        findings,
        operators,
        input_shape=input_shape,
    )


ARGUMENTS = [
    case("same, with ones"),
    case("same, with zeros", [PADS_ZEROS], pad_values=0.0),
    case("valid", padding="valid"),
    case("a 1x1 kernel", size=1),
    case("a 1x1 kernel, with zeros", size=1, pad_values=0.0),
    case("a 2x2 kernel", size=2),
    case("a 1x3 kernel", size=(1, 3)),
    case("stride 2", strides=2),
    case("stride 2, odd size", strides=2, input_shape=(7, 9, 32)),
    case("stride 2, with zeros", [PADS_ZEROS], strides=2, pad_values=0.0),
    case("stride 3", size=5, strides=3, input_shape=(14, 14, 32)),
    case("dilated, valid", padding="valid", dilation_rate=2),
    case("dilated, with ones", dilation_rate=2),
    case("dilated, with zeros", [PADS_ZEROS], dilation_rate=2, pad_values=0.0),
    case(
        "same, with -1",
        [("error", "conv", "padded with -1, not with 1")],
        f"{UNPACKED} PADV2 CONV_2D",
        pad_values=-1.0,
    ),
    case(
        "same, with 0.5",
        [("error", "conv", "padded with 0.5, not with 1")],
        f"{UNPACKED} PADV2 CONV_2D",
        pad_values=0.5,
    ),
    case(
        "channels first",
        [("error", "conv", "channels_first")],
        None,  # TensorFlow computes none on a CPU
        (32, 8, 8),
        data_format="channels_first",
        padding="valid",
    ),
    case(
        "groups of whole words",
        [("error", "conv", "default kernel rejects")],
        None,  # refused by one kernel only: see the next test
        (8, 8, 64),
        groups=2,
    ),
    case(
        "groups of half a word",
        [("error", "conv", "2 groups, which would stay float")],
        f"{UNPACKED} PADV2 CONV_2D",
        groups=2,
    ),
]

CHANNELS = [
    case("one channel", [WORDS], input_shape=(8, 8, 1), filters=8),
    case("33 channels", [WORDS], input_shape=(8, 8, 33)),
    case("7 filters", [("note", "conv", "filters are no multiple of 8")], filters=7),
    case(
        "33 channels, with zeros",
        [WORDS, PADS_ZEROS, ("note", "conv", "which LCE's reference kernel refuses")],
        input_shape=(8, 8, 33),
        pad_values=0.0,
    ),
    case(
        "34 channels, with zeros",
        [WORDS, PADS_ZEROS],
        input_shape=(8, 8, 34),
        pad_values=0.0,
    ),
]

DYNAMIC = (None, None, 32)
SIZES = [
    case("no size", [("error", "conv", FIXED)], None, DYNAMIC),
    case("no size, 1x1", [("error", "conv", FIXED)], None, DYNAMIC, size=1),
    case("no height", [("error", "conv", FIXED)], None, (None, 8, 32)),
    case("no size, zeros", [PADS_ZEROS], None, DYNAMIC, pad_values=0.0),
    case("no size, valid", (), None, DYNAMIC, padding="valid"),
    case(
        "zeros around less than the kernel",
        [("error", "conv", "pads a 8x2 input with zeros")],
        None,  # wrong in some of the pixels of some kernels: see verification
        (8, 2, 32),
        pad_values=0.0,
    ),
    case("zeros around as much", [PADS_ZEROS], input_shape=(8, 3, 32), pad_values=0.0),
    case(
        "zeros around less than a dilated kernel",
        [("error", "conv", "reaches over 9x9")],
        None,
        dilation_rate=4,
        pad_values=0.0,
    ),
]

METHOD = {"quantizer": "irnet", "name": "layer"}
LARQ = {
    "input_quantizer": "ste_sign",
    "kernel_quantizer": "ste_sign",
    "kernel_constraint": "weight_clip",
    "name": "layer",
}
SEPARABLE = {
    "input_quantizer": "ste_sign",
    "depthwise_quantizer": "ste_sign",
    "pointwise_quantizer": "ste_sign",
    "depthwise_constraint": "weight_clip",
    "pointwise_constraint": "weight_clip",
    "name": "layer",
}


def kind(layer, input_shape, operators=None):
    name = type(layer).__name__
    words = f"no binary kernel for {name}; the layer would stay float"
    findings = [("error", "layer", words)]
    return Case(name, chain(layer), findings, operators, input_shape=input_shape)


KINDS = [
    kind(irnet.layers.QuantDense(4, **METHOD), (32,), f"{UNPACKED} FULLY_CONNECTED"),
    kind(
        irnet.layers.QuantConv1D(4, 3, **METHOD),
        (8, 32),
        f"{UNPACKED} RESHAPE CONV_2D RESHAPE",
    ),
    kind(
        irnet.layers.QuantDepthwiseConv2D(3, **METHOD),
        (8, 8, 32),
        f"{UNPACKED} DEPTHWISE_CONV_2D",
    ),
    kind(
        irnet.layers.QuantConv2DTranspose(4, 3, **METHOD),
        (8, 8, 32),
        f"{UNPACKED} TRANSPOSE_CONV",
    ),
    kind(
        lq.layers.QuantSeparableConv2D(4, 3, **SEPARABLE),
        (8, 8, 32),
        f"{UNPACKED} DEPTHWISE_CONV_2D CONV_2D",
    ),
    kind(lq.layers.QuantSeparableConv1D(4, 3, **SEPARABLE), (8, 32)),
    kind(lq.layers.QuantConv3D(4, 3, **LARQ), (8, 8, 8, 32)),
    kind(lq.layers.QuantConv3DTranspose(4, 3, **LARQ), (4, 4, 4, 32)),
    kind(lq.layers.QuantLocallyConnected1D(4, 3, **LARQ), (8, 32)),
    kind(lq.layers.QuantLocallyConnected2D(4, 3, **LARQ), (4, 4, 32)),
]

CASES = [*ARGUMENTS, *CHANNELS, *SIZES, *KINDS]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_layer(case):
    assert_lint_says_so(case)


def test_shared_layers_are_looked_at_in_every_call():
    shared = conv(strides=2, pad_values=0.0)
    inputs = tf.keras.Input((16, 16, 32))
    fine, small = shared(inputs), shared(inputs[:, :2, :2])
    (finding,) = tflite_export.lint(tf.keras.Model(inputs, [fine, small]))
    assert finding.layer == "conv"


def test_layers_of_inner_models_are_looked_at_once_each():
    inner_inputs = tf.keras.Input((8, 8, 32))
    inner = tf.keras.Model(inner_inputs, conv(pad_values=0.0)(inner_inputs))
    inputs = tf.keras.Input((8, 8, 32))
    (finding,) = tflite_export.lint(tf.keras.Model(inputs, inner(inner(inputs))))
    assert (finding.severity, finding.layer) == ("slower", "conv")


def test_layers_of_equal_names_are_told_apart():
    inner_inputs = tf.keras.Input((8, 8, 32))
    inner = tf.keras.Model(inner_inputs, conv("x", pad_values=0.0)(inner_inputs))
    inputs = tf.keras.Input((8, 8, 32))
    outputs = conv("x", kernel_quantizer="ste_tern")(inner(inputs))
    findings = tflite_export.lint(tf.keras.Model(inputs, outputs))
    assert sorted(one.severity for one in findings) == ["error", "slower"]


@pytest.mark.parametrize("model", [None, layers.Dense(2), tf.keras.Sequential()])
def test_other_models_are_refused(model):
    with pytest.raises(ValueError, match="Expected a built functional or sequential"):
        tflite_export.lint(model)
