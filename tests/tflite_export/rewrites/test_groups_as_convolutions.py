"""Each group of a binary convolution gets a convolution of its own."""

import numpy as np
import pytest
import tensorflow as tf

from tests.tflite_export import networks
from tests.tflite_export.rewrites.comparison import kinds, rewritten

layers = tf.keras.layers


@pytest.mark.parametrize("use_bias", [False, True])
@pytest.mark.parametrize("groups", [2, 4])
def test_groups_are_convolved_one_by_one(groups, use_bias):
    conv = networks.binary_conv(
        8, "conv", groups=groups, use_bias=use_bias, bias_initializer="ones", strides=2
    )
    result, done = rewritten(networks.network_of(conv, (5, 5, 8)))
    assert [one.layer for one in done] == ["conv"]
    assert kinds(result).count("QuantConv2D") == groups
    assert {one.groups for one in result.layers if hasattr(one, "groups")} >= {1}
    kernels = [one.kernel for one in result.layers if hasattr(one, "kernel")]
    assert {tuple(one.shape) for one in kernels} == {(3, 3, 8 // groups, 8 // groups)}


def test_normalisations_behind_are_split_as_well():
    images = tf.keras.Input((5, 5, 8))
    x = networks.binary_conv(8, "conv", groups=2)(images)
    x = layers.BatchNormalization(name="bn")(x)
    x = networks.binary_conv(4, "next")(x)
    result, _ = rewritten(tf.keras.Model(images, x))
    assert kinds(result) == [
        "ChannelSplit",
        *["QuantConv2D"] * 2,
        *["BatchNormalization"] * 2,
        "Concatenate",
        "QuantConv2D",
    ]


def test_what_others_read_is_not_split():
    images = tf.keras.Input((5, 5, 8))
    x = networks.binary_conv(8, "conv", groups=2)(images)
    outputs = [layers.BatchNormalization(name="bn")(x), x]
    result, _ = rewritten(tf.keras.Model(images, outputs))
    assert kinds(result).count("BatchNormalization") == 1


def test_float_convolutions_in_groups_stay():
    conv = layers.Conv2D(8, 3, groups=2)
    result, done = rewritten(networks.network_of(conv, (5, 5, 8)))
    assert done == []
    assert np.array(result.layers[-1].groups) == 2
