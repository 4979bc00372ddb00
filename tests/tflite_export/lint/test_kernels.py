"""Quantized kernels: which are binary constants for the converter."""

import larq as lq
import numpy as np
import pytest
import tensorflow as tf

import larq_irnet as irnet
import tflite_export
from tests.tflite_export import networks
from tests.tflite_export.lint.lint_case import (
    BINARY,
    Case,
    assert_lint_says_so,
    conv,
    quantizer,
)

FLOAT = "LceQuantize LceDequantize PADV2 CONV_2D"
VALID_FLOAT = "LceQuantize LceDequantize CONV_2D"


def kernel(function, **options):
    """A convolution with a kernel quantizer of its own."""
    if callable(function) and not isinstance(function, tf.keras.layers.Layer):
        function = quantizer(function)
    arguments = {"kernel_quantizer": function, "kernel_constraint": None}
    return lambda x: conv(**{**arguments, **options})(x)


def where(w):
    return tf.where(w >= 0.0, 1.0, -1.0)


def scale(w):
    return tf.reduce_mean(tf.abs(w), axis=(0, 1, 2), keepdims=True)  # [1, 1, 1, C_out]


def of_both_signs(w):
    return 0.3 * lq.math.sign(w) * tf.where(tf.range(w.shape[-1]) % 2 == 0, 1.0, -1.0)


def nearly_one(w):
    return lq.math.sign(w) * tf.where(w > 0.0, 1.004, 1.0)


VALUES = [
    *(
        Case(name, kernel(name))
        for name in ("ste_sign", "libra_pb", "imb", "magnitude_aware_sign", "recu")
    ),
    Case("recu, analytic", kernel(irnet.quantizers.ReCU(analytic_scale=True))),
    Case("one scale", kernel(lambda w: 0.3 * lq.math.sign(w))),
    Case("a negative scale", kernel(lambda w: -0.3 * lq.math.sign(w))),
    Case("scales of both signs", kernel(of_both_signs)),
    Case("scales [1, 1, 1, C_out]", kernel(lambda w: lq.math.sign(w) * scale(w))),
    Case(
        "detached", kernel(lambda w: w + tf.stop_gradient(lq.math.sign(w) - w))
    ),  # a constant, other than an input
    Case("where", kernel(where)),
    Case("2 cast(w >= 0) - 1", kernel(networks.cast_sign)),
    Case("a scale above 1e-7", kernel(lambda w: 1.3e-7 * lq.math.sign(w))),
    Case(
        "a scale below 1e-7",
        kernel(lambda w: 1.1e-7 * lq.math.sign(w)),
        [("error", "conv", "the scale of a filter is 1.1e-07, too small")],
        FLOAT,
    ),
    Case(
        "zeros",
        kernel("ste_tern", kernel_constraint="weight_clip"),
        [("error", "conv", "holds zeros")],
        FLOAT,
    ),
    Case(
        "an unfinished anneal",
        kernel(networks.soft_kernel),
        [("error", "conv", "more than one magnitude")],
        FLOAT,
    ),
    Case(
        "a nearly finished anneal",
        kernel(nearly_one),
        [("error", "conv", "differ by 0.40%, which LCE rounds to one")],
        BINARY,
        values="wrong",
    ),
    Case(
        "scales of input channels",
        kernel(networks.input_scaled_kernel),
        [("error", "conv", "more than one magnitude")],
        FLOAT,
    ),
    Case(
        "scales of positions",
        kernel(
            lambda w: lq.math.sign(w) * tf.reshape(tf.range(1.0, 10.0), (3, 3, 1, 1))
        ),
        [("error", "conv", "more than one magnitude")],
        FLOAT,
    ),
]


def large(function, channels, **options):
    return kernel(
        function, filters=channels, padding="valid", **{"use_bias": False, **options}
    )


def large_case(name, function, channels, words=None, operators=BINARY):
    """Kernels of 0.98 MiB with 168 channels, and of 1.1 MiB with 176."""
    return Case(
        f"{name}, {channels} channels",
        large(function, channels),
        [
            ("note", "conv", "no multiple of 32"),
            *([("error", "conv", words)] if words else []),
        ],
        operators,
        input_shape=(4, 4, channels),
    )


REPACKED = "LceQuantize LceDequantize LceQuantize LceDequantize TRANSPOSE CONV_2D"
UP_TO_1_MIB = [
    large_case("sign", lq.math.sign, 176),
    large_case("libra_pb", "libra_pb", 176),
    large_case("recu", "recu", 176),
    large_case("scaled", lambda w: lq.math.sign(w) * scale(w), 176),
    large_case(
        "where with tensors",
        lambda w: tf.where(w >= 0.0, tf.ones_like(w), -tf.ones_like(w)),
        176,
    ),
    large_case("where", where, 168),
    large_case("where", where, 176, "(SelectV2) that makes 1.1 MiB", REPACKED),
    large_case(
        "cast",
        networks.cast_sign,
        176,
        "(Cast) that makes 1.1 MiB",
        "LceQuantize LceDequantize CAST MUL SUB TRANSPOSE CONV_2D",
    ),
    large_case(
        "broadcast",
        lambda w: lq.math.sign(w) * tf.broadcast_to(scale(w), w.shape),
        176,
        "(BroadcastTo) that makes 1.1 MiB",
        VALID_FLOAT,
    ),
]


def huge_case(name, function, channels, words=None):
    """Kernels of 144 MiB with 4096 filters, and of 72 MiB with 2048."""
    return Case(
        f"{name}, {channels} filters",
        large(function, channels, size=6, kernel_initializer="ones"),
        [("error", "conv", words)] if words else [],
        operators=None,  # seconds and gigabytes each
        input_shape=(6, 6, 256),
    )


UP_TO_128_MIB = [
    huge_case("sign", lq.math.sign, 4096),
    huge_case("scaled", lambda w: 0.5 * lq.math.sign(w), 2048),
    huge_case(
        "scaled", lambda w: 0.5 * lq.math.sign(w), 4096, "(Mul) with operands of 144"
    ),
    huge_case(
        "shifted", lambda w: lq.math.sign(w - 0.1), 4096, "(Sign) with operands of 144"
    ),
    huge_case(
        "detached",
        lambda w: w + tf.stop_gradient(lq.math.sign(w) - w),
        2048,
        "with operands of 144",
    ),
]

CASES = [*VALUES, *UP_TO_1_MIB, *UP_TO_128_MIB]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_kernel(case):
    assert_lint_says_so(case)


@pytest.mark.parametrize("number", [np.nan, np.inf])
def test_numbers_that_are_none(number):
    model = networks.network_of(conv())
    (weights,) = model.layers[-1].get_weights()
    model.layers[-1].set_weights([np.full_like(weights, number)])
    model.layers[-1].kernel.quantizer = quantizer(tf.identity)
    (finding,) = tflite_export.lint(model)
    assert "NaN or Inf" in finding.reason


def test_a_failing_quantizer_does_not_leave_the_quantized_scope_on():
    @lq.utils.set_precision(1)
    def failing(w):
        if lq.context.should_quantize():
            raise RuntimeError("on purpose")
        return w

    model = networks.network_of(conv())
    model.layers[-1].kernel.quantizer = failing
    with pytest.raises(RuntimeError, match="on purpose"):
        tflite_export.lint(model)
    assert not lq.context.should_quantize()
    assert not tf.config.functions_run_eagerly()
