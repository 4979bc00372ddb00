import dataclasses
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

import larq_irnet as irnet
import zoo
from tests.zoo.models.keras_applications import copy_weights, randomized
from tests.zoo.models.published_sizes import (
    binary_layers,
    depthwise_convolutions,
    float_convolutions,
    has_layer,
    millions_of_macs,
    parameters,
)

SMALL: dict[str, Any] = {"input_shape": (32, 32, 3), "num_classes": 10, "alpha": 0.25}


@pytest.fixture(scope="module")
def model():
    return zoo.MobileNetV1()


def test_sizes_are_those_of_the_paper(model):
    assert sum(parameters(model)) == 4_231_976
    assert parameters(model) == (3_139_584, 1_092_392)
    assert millions_of_macs(model) == (539.49, 29.25)  # 569 in the paper
    assert len(binary_layers(model)) == 13


@pytest.mark.parametrize("alpha", [0.25, 0.75])
def test_widths(alpha):
    theirs = tf.keras.applications.MobileNet(weights=None, alpha=alpha)
    ours = zoo.MobileNetV1(alpha=alpha)
    expected = sum(w.shape.num_elements() for w in theirs.trainable_weights)
    assert sum(parameters(ours)) == expected
    assert ours.get_layer("unit13_pointwise").filters == 1024 * alpha


def test_the_float_network_is_that_of_keras():
    theirs = randomized(
        tf.keras.applications.MobileNet(weights=None, classifier_activation=None)
    )
    float_method = irnet.methods.get("float")
    relu6 = dataclasses.replace(float_method, activation="relu6")  # the paper has ReLU
    ours = zoo.MobileNetV1(relu6)
    copy_weights(theirs, ours)
    images = np.random.default_rng(1).normal(size=(2, 224, 224, 3))
    expected = theirs(images).numpy()
    # float32 sums in another order, relative to the largest logit
    tolerance = 1e-5 * np.abs(expected).max()
    np.testing.assert_allclose(ours(images), expected, rtol=0, atol=tolerance)


def test_sizes_of_features(model):
    assert model.get_layer("stem_conv").output_shape == (None, 112, 112, 32)
    for unit, size, channels in (
        *((1, 112, 64), (2, 56, 128), (4, 28, 256), (6, 14, 512)),
        *((11, 14, 512), (12, 7, 1024), (13, 7, 1024)),
    ):
        last = model.get_layer(f"unit{unit}_pointwise_act")
        assert last.output_shape == (None, size, size, channels)
    assert not has_layer(model, "unit14_pointwise")


def test_a_small_stem_keeps_the_size():
    model = zoo.MobileNetV1(**SMALL, stem_strides=1)
    assert model.get_layer("stem_conv").output_shape == (None, 32, 32, 8)
    assert model.get_layer("unit13_pointwise").output_shape == (None, 2, 2, 256)


def test_what_stays_in_full_precision(model):
    assert [layer.name for layer in float_convolutions(model)] == ["stem_conv"]
    names = [layer.name for layer in depthwise_convolutions(model)]
    assert names == [f"unit{number}_depthwise" for number in range(1, 14)]


def shortcuts(model):
    return [int(one.name[4:-14]) for one in model.layers if "_add" in one.name]


def test_shortcuts_where_channels_stay(model):
    assert shortcuts(model) == [3, 5, 7, 8, 9, 10, 11, 13]
    kept = model.get_layer("unit3_pointwise_add").input[1]
    assert kept is model.get_layer("unit3_depthwise_act").output


@pytest.mark.parametrize("method", ["float", "irnet_w1a32"])
def test_no_shortcuts_with_real_activations(method):
    assert shortcuts(zoo.MobileNetV1(method, **SMALL)) == []
    assert len(shortcuts(zoo.MobileNetV1(method, **SMALL, block="bi_real"))) == 8


def test_a_unit_is_depthwise_then_pointwise(model):
    names = [layer.name for layer in model.layers if "unit3" in layer.name]
    depthwise, pointwise = "unit3_depthwise", "unit3_pointwise"
    assert names == [
        *(depthwise, f"{depthwise}_bn", f"{depthwise}_act"),
        *(pointwise, f"{pointwise}_bn", f"{pointwise}_add", f"{pointwise}_act"),
    ]


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"alpha": 0.0}, "`alpha` to leave at least one of 32 channels, got 0.0"),
        ({"alpha": 0.03}, "`alpha` to leave at least one of 32 channels, got 0.03"),
        ({"alpha": -1.0}, "`alpha` to leave at least one of 32 channels, got -1.0"),
        ({"stem_strides": 4}, "`stem_strides` to be 1 or 2, got 4"),
    ],
)
def test_errors(arguments, message):
    with pytest.raises(ValueError, match=message):
        zoo.MobileNetV1(**{**SMALL, **arguments})
