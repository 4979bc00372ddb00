"""Input quantizers: which become `LceQuantize`, and which are not what they seem."""

import larq as lq
import pytest
import tensorflow as tf

from tests.tflite_export import networks
from tests.tflite_export.lint.lint_case import (
    BINARY,
    Case,
    assert_lint_says_so,
    chain,
    conv,
    quantizer,
)

layers = tf.keras.layers
FLOAT = "PADV2 CONV_2D"
UNPACKED = f"LceQuantize LceDequantize {FLOAT}"


def read_by(function, **options):
    """A convolution with an input quantizer of its own."""
    if callable(function) and not isinstance(function, tf.keras.layers.Layer):
        function = quantizer(function)
    return lambda x: conv(input_quantizer=function, **options)(x)


def ones_like(x):
    return tf.where(x >= 0.0, tf.ones_like(x), -tf.ones_like(x))


def traced(x):
    return tf.function(lq.math.sign)(x)


RECOGNISED = [
    *(
        Case(name, read_by(name))
        for name in (
            "ste_sign",
            "approx_sign",
            "swish_sign",
            "ede_sign",
            "dte_sign",
            "normalized_approx_sign",
        )
    ),
    Case("sign(sign(x) + c)", read_by(lambda x: tf.sign(tf.sign(x) + 0.5))),
    Case("sign(c + sign(x))", read_by(lambda x: tf.sign(0.5 + tf.sign(x)))),
    Case("where(x >= 0)", read_by(networks.where_constants)),
    Case("where(x < 0)", read_by(lambda x: tf.where(x < 0.0, -1.0, 1.0))),
    Case("where(0 <= x)", read_by(lambda x: tf.where(0.0 <= x, 1.0, -1.0))),
    Case(
        "where(not x < 0)",
        read_by(lambda x: tf.where(tf.logical_not(x < 0.0), 1.0, -1.0)),
    ),
    Case("where, ones_like, with a batch of one", read_by(ones_like)),
    Case("stop_gradient", read_by(lambda x: tf.stop_gradient(lq.math.sign(x)))),
    Case("times one", read_by(lambda x: 1.0 * lq.math.sign(x))),
    Case("within a tf.function", read_by(traced)),
    Case(
        "a layer takes the sign",
        chain(lq.quantizers.SteSign(), conv(input_quantizer=None)),
    ),
    Case(
        "a shift that folds into a normalisation",
        chain(
            conv("first"), layers.BatchNormalization(), read_by(networks.shifted_sign)
        ),
        operators="LceQuantize LceBconv2d* LceBconv2d",
    ),
]

SLOWER = [
    Case(
        "where(x > 0)",
        read_by(lambda x: tf.where(x > 0.0, 1.0, -1.0)),
        [("slower", "conv", "selects by a Greater")],
        f"GREATER {BINARY}",
    ),
    Case(
        "where(x <= 0)",
        read_by(lambda x: tf.where(x <= 0.0, -1.0, 1.0)),
        [("slower", "conv", "selects by a LessEqual")],
        f"GREATER {BINARY}",
    ),
    Case(
        "swapped branches",
        read_by(lambda x: tf.where(x >= 0.0, -1.0, 1.0)),
        [("slower", "conv", "selects by a GreaterEqual")],
        f"LESS {BINARY}",
    ),
    Case(
        "another threshold",
        read_by(lambda x: tf.where(x >= 0.5, 1.0, -1.0)),
        [("slower", "conv", "selects by a GreaterEqual")],
        f"SUB {BINARY}",
    ),
    Case(
        "clip",
        read_by(lambda x: lq.math.sign(tf.clip_by_value(x, -1.0, 1.0))),
        [("slower", "conv", "a hard tanh in front of its sign")],
        f"RELU_N1_TO_1 {BINARY}",
    ),
    Case(
        "other bounds",
        read_by(lambda x: lq.math.sign(tf.clip_by_value(x, -1.3, 1.3))),
        [("slower", "conv", "a clipping in front of its sign")],
        f"MINIMUM MAXIMUM {BINARY}",
    ),
    Case(
        "hard_tanh",
        chain(layers.Activation("hard_tanh"), conv()),
        [("slower", "conv", "a hard tanh in front of its sign")],
        f"RELU_N1_TO_1 {BINARY}",
    ),
    Case(
        "tanh",
        read_by(lambda x: lq.math.sign(tf.tanh(x))),
        [("slower", "conv", "a TANH in front of its sign")],
        f"TANH {BINARY}",
    ),
    Case(
        "a shift that does not fold",
        read_by(networks.shifted_sign),
        [("slower", "conv", "a shift (ADD) in front of its sign")],
        f"SUB {BINARY}",
    ),
    Case(
        "a scale that does not fold",
        read_by(lambda x: lq.math.sign(3.0 * x)),
        [("slower", "conv", "a scale (MUL) in front of its sign")],
        f"MUL {BINARY}",
    ),
]

FLOAT_OR_WRONG = [
    Case(
        "sign",
        read_by(networks.bare_sign),
        [("error", "conv", "gives 0 at 0, as a bare tf.sign does")],
        f"SIGN {FLOAT}",
    ),
    Case(
        "2 cast(x >= 0) - 1",
        read_by(networks.cast_sign),
        [("error", "conv", "operators that LCE does not recognise")],
        f"GREATER_EQUAL CAST MUL SUB {FLOAT}",
    ),
    Case(
        "sign(x + eps)",
        read_by(lambda x: tf.sign(x + 1e-6)),
        [("error", "conv", "operators that LCE does not recognise")],
        f"ADD SIGN {FLOAT}",
    ),
    Case(
        "sign(sign(x) - c)",
        read_by(lambda x: tf.sign(tf.sign(x) - (-0.5))),
        [("error", "conv", "operators that LCE does not recognise")],
        f"SIGN SUB SIGN {FLOAT}",
    ),
    Case(
        "detached",
        read_by(networks.detached_sign),
        [("error", "conv", "the input quantizer")],  # rounding decides about the rest
        f"LceQuantize LceDequantize SUB ADD {FLOAT}",
    ),
    Case(
        "negated",
        read_by(lambda x: -lq.math.sign(x)),
        [("error", "conv", "operators that LCE does not recognise")],
        f"LceQuantize LceDequantize NEG {FLOAT}",
    ),
    Case(
        "scaled",
        read_by(networks.scaled_sign),
        [("error", "conv", "gives -1.3, 1.3 in place of -1 and +1")],
        f"LceQuantize LceDequantize MUL {FLOAT}",
    ),
    Case(
        "magnitude_aware_sign",
        read_by("magnitude_aware_sign"),
        [("error", "conv", "in place of -1 and +1")],
        f"ABS MEAN LceQuantize LceDequantize MUL {FLOAT}",
    ),
    Case(
        "where with other numbers",
        read_by(lambda x: tf.where(x >= 0.0, 2.0, -2.0)),
        [("error", "conv", "gives -2, 2 in place of -1 and +1")],
        f"GREATER_EQUAL SELECT_V2 {FLOAT}",
    ),
    Case(
        "heaviside",
        read_by("ste_heaviside"),
        [("error", "conv", "gives 0, 1 in place of -1 and +1")],
        f"RELU SIGN {FLOAT}",
    ),
    Case(
        "DoReFa",
        read_by("dorefa_quantizer"),
        [("error", "conv", "in place of -1 and +1")],
        f"MINIMUM RELU MUL ROUND MUL {FLOAT}",
    ),
    Case(
        "ternary",
        read_by("ste_tern"),
        [("error", "conv", "ternary (-1, 0, +1), which LCE takes for binary")],
        f"ADD {BINARY}",
        values="wrong",
    ),
    Case(
        "ternary, with a float kernel",
        read_by("ste_tern", kernel_quantizer=None),
        [
            ("slower", "conv", "only the input is binary"),
            ("error", "conv", "ternary (-1, 0, +1), which LCE takes for binary"),
        ],
        f"ADD {UNPACKED}",
        values="wrong",
    ),
    Case(
        "ternary, as a layer",
        chain(lq.quantizers.SteTern(name="ternary"), layers.Conv2D(8, 3)),
        [("error", "ternary", "which LCE takes for binary")],
        "ADD LceQuantize LceDequantize CONV_2D",
        values="wrong",
    ),
    Case(
        "-1 at 0, where zeros are common",
        chain(layers.ReLU(), read_by(lambda x: tf.sign(tf.sign(x) + (-0.5)))),
        [("error", "conv", "c = -0.5")],
        f"RELU {BINARY}",
        values="wrong",
    ),
    Case(
        "sign(sign(x) + 2)",
        read_by(lambda x: tf.sign(tf.sign(x) + 2.0)),
        [("error", "conv", "c = 2")],
        values="wrong",
    ),
]

PARTLY_BINARY = [
    Case(
        "binary weights alone",
        chain(conv("one", input_quantizer=None), conv("two", input_quantizer=None)),
        [("note", "one, two", "quantizes only its weights")],
        "PADV2 CONV_2D PADV2 CONV_2D",
    ),
    Case(
        "binary weights alone, in a dense layer",
        chain(
            layers.Flatten(),
            lq.layers.QuantDense(
                4,
                kernel_quantizer="ste_sign",
                kernel_constraint="weight_clip",
                name="fc",
            ),
        ),
        [("note", "fc", "quantizes only its weights")],
        "RESHAPE FULLY_CONNECTED",
    ),
    Case(
        "binary inputs alone",
        read_by("ste_sign", kernel_quantizer=None),
        [("slower", "conv", "only the input is binary")],
        UNPACKED,
    ),
    Case(
        "an average pool behind the sign",
        chain(
            lq.quantizers.SteSign(),
            layers.AveragePooling2D(),
            conv(input_quantizer=None),
        ),
        [("error", "conv", "an average pool stands between the sign and it")],
        f"LceQuantize LceDequantize AVERAGE_POOL_2D {FLOAT}",
    ),
    Case(
        "a max pool behind the sign",
        chain(
            lq.quantizers.SteSign(), layers.MaxPooling2D(), conv(input_quantizer=None)
        ),
        [("error", "conv", "a max pool stands between the sign and it")],
        f"LceQuantize LceDequantize MAX_POOL_2D {FLOAT}",
    ),
]

CASES = [*RECOGNISED, *SLOWER, *FLOAT_OR_WRONG, *PARTLY_BINARY]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_input_quantizer(case):
    assert_lint_says_so(case)


@pytest.mark.parametrize("case", FLOAT_OR_WRONG, ids=lambda case: case.name)
def test_the_remedy_is_a_sign(case):
    error = next(one for one in case.lint() if one.severity == "error")
    assert "larq.math.sign" in error.remedy
