"""Padding behind a sign moves to where it is computed rightly."""

import larq as lq
import pytest
import tensorflow as tf

from tests.tflite_export import networks
from tests.tflite_export.rewrites.comparison import kinds, rewritten

layers = tf.keras.layers


def padded_signs(value, padding, strides, size=8, sign=None):
    images = tf.keras.Input((size, size, 4))
    x = (sign or lq.quantizers.SteSign(name="sign"))(images)
    if value:
        paddings = [[0, 0], [padding, padding], [padding, padding], [0, 0]]
        x = tf.pad(x, paddings, constant_values=value)
    else:
        x = layers.ZeroPadding2D(padding)(x)
    conv = networks.binary_conv(
        4, "conv", input_quantizer=None, padding="valid", strides=strides
    )
    return tf.keras.Model(images, conv(x))


CASES = {  # value, padding, strides, size: layers of the result, padding of conv
    "ones": ((1.0, 1, 1, 8), ["QuantConv2D"], ("same", 1.0)),
    "ones, strides": (
        (1.0, 1, 2, 8),
        ["ZeroPadding2D", "QuantConv2D"],
        ("valid", 1.0),
    ),
    "zeros": ((0.0, 1, 1, 8), ["QuantConv2D"], ("same", 0.0)),
    "zeros, strides": ((0.0, 1, 2, 7), ["QuantConv2D"], ("same", 0.0)),
    "zeros, strides on even sizes": (
        (0.0, 1, 2, 8),
        ["QuantConv2D", "MaxPooling2D"],
        ("same", 0.0),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_padding_moves(case):
    arguments, expected, padding = CASES[case]
    result, _ = rewritten(padded_signs(*arguments))
    assert kinds(result) == expected
    conv = result.get_layer("conv")
    assert (conv.padding, conv.pad_values) == padding
    assert conv.input_quantizer is not None


@pytest.mark.parametrize("value, padding", [(0.5, 1), (-1.0, 1), (0.0, 2)])
def test_padding_without_a_right_form_stays(value, padding):
    result, done = rewritten(padded_signs(value, padding, 1))
    assert done == []
    assert len(kinds(result)) == 3


def test_padding_of_other_values_stays():
    sign = layers.Activation("relu")
    result, done = rewritten(padded_signs(1.0, 1, 1, sign=sign))
    assert done == []
    assert len(kinds(result)) == 3
