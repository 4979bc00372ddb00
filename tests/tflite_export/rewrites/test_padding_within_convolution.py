"""Explicit padding moves into the convolution that reads it."""

import pytest
import tensorflow as tf

from tests.tflite_export import networks
from tests.tflite_export.rewrites.comparison import kinds, rewritten
from tflite_export.rewrites import rewrite_layers

layers = tf.keras.layers


def stem(size, padding, kernel, strides, depthwise=False, use_bias=True):
    images = tf.keras.Input((*size, 3))
    x = layers.ZeroPadding2D(padding, name="pad")(images)
    convolution = (
        layers.DepthwiseConv2D(kernel, strides=strides, name="conv", use_bias=use_bias)
        if depthwise
        else layers.Conv2D(4, kernel, strides=strides, name="conv", use_bias=use_bias)
    )
    return tf.keras.Model(images, convolution(x))


STEMS = {
    "resnet": ((16, 16), 3, 7, 2),
    "odd": ((15, 15), 3, 7, 2),
    "even and odd": ((16, 15), 1, 3, 2),
    "mobilenet": ((16, 16), ((0, 1), (0, 1)), 3, 2),
    "stride of three": ((14, 14), 2, 5, 3),
    "one axis": ((16, 12), (3, 1), (7, 3), (2, 1)),
}


@pytest.mark.parametrize("depthwise, use_bias", [(False, True), (True, False)])
@pytest.mark.parametrize("name", STEMS)
def test_stems_get_zeros_around_their_kernels(name, depthwise, use_bias):
    size, padding, kernel, strides = STEMS[name]
    if depthwise and name == "one axis":
        strides = (2, 2)  # TensorFlow's depthwise convolutions have equal strides
        size = (16, 11)
    model = stem(size, padding, kernel, strides, depthwise, use_bias)
    result, done = rewritten(model)
    assert [one.layer for one in done] == ["conv"]
    assert [layer.name for layer in result.layers][1:] == ["conv"]
    assert result.get_layer("conv").padding == "same"


@pytest.mark.parametrize(
    ("size", "padding", "kernel", "strides"),
    [
        ((16, 16), 3, 7, 1),  # right as it is
        ((16, 16), 5, 7, 2),  # more outputs than "same" padding gives
        ((16, 16), 0, 7, 2),  # fewer
        ((None, None), 3, 7, 2),  # not known
    ],
)
def test_other_padding_stays(size, padding, kernel, strides):
    model = stem(size, padding, kernel, strides)
    assert rewrite_layers(model) == (model, [])


def test_padding_that_others_read_stays():
    model = stem(*STEMS["resnet"])
    both = tf.keras.Model(model.input, [model.output, model.get_layer("pad").output])
    assert rewrite_layers(both) == (both, [])


def padded_binary(pad, **arguments):
    images = tf.keras.Input((6, 6, 4))
    x = layers.ZeroPadding2D(pad, name="pad")(images)
    conv = networks.binary_conv(4, "conv", **{"padding": "valid", **arguments})
    return tf.keras.Model(images, conv(x))


@pytest.mark.parametrize(
    "padding, arguments",
    [
        (1, {}),
        (2, {"dilation_rate": 2}),
        (((0, 1), (0, 1)), {"strides": 2}),
    ],
)
def test_binary_convolutions_pad_with_ones(padding, arguments):
    result, done = rewritten(padded_binary(padding, **arguments))
    assert [one.rewrite for one in done] == ["padding within convolution"]
    assert kinds(result) == ["QuantConv2D"]
    assert result.get_layer("conv").pad_values == 1.0


@pytest.mark.parametrize(
    "padding, arguments",
    [
        (1, {"strides": 2}),  # other windows
        (2, {}),  # more outputs
        (1, {"padding": "same"}),  # pads by itself as well
        (1, {"input_quantizer": networks.shifted_sign}),  # zeros are not all +1
    ],
)
def test_other_padding_of_binary_convolutions_stays(padding, arguments):
    result, done = rewritten(padded_binary(padding, **arguments))
    assert done == []
    assert kinds(result) == ["ZeroPadding2D", "QuantConv2D"]
