from typing import Any

import numpy as np
import pytest
import tensorflow as tf

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

SMALL: dict[str, Any] = {
    "input_shape": (32, 32, 3),
    "num_classes": 10,
    "width": 0.25,
    "depth": 0.5,
}


@pytest.fixture(scope="module")
def model():
    return zoo.EfficientNetB0()


def test_sizes_are_those_of_the_paper(model):
    assert sum(parameters(model)) == 5_288_548
    assert parameters(model) == (3_146_112, 2_142_436)
    assert millions_of_macs(model) == (338.54, 47.28)  # 390 in the paper
    assert len(binary_layers(model)) == 15 + 16 + 1  # expand, project, head


def test_the_float_network_is_that_of_keras():
    theirs = randomized(
        tf.keras.applications.EfficientNetB0(weights=None, classifier_activation=None)
    )
    ours = zoo.EfficientNetB0("float")
    copy_weights(theirs, ours)
    images = np.random.default_rng(1).normal(size=(2, 224, 224, 3))
    expected = theirs(255.0 * images).numpy()  # which it scales down
    # float32 sums in another order, relative to the largest logit
    tolerance = 1e-5 * np.abs(expected).max()
    np.testing.assert_allclose(ours(images), expected, rtol=0, atol=tolerance)


def test_compound_scaling_makes_b3():
    theirs = tf.keras.applications.EfficientNetB3(weights=None)
    ours = zoo.EfficientNetB0("float", width=1.2, depth=1.4)
    expected = sum(w.shape.num_elements() for w in theirs.trainable_weights)
    assert sum(parameters(ours)) == expected


def test_sizes_of_features(model):
    assert model.get_layer("stem_conv").output_shape == (None, 112, 112, 32)
    for stage, size, channels, blocks in (
        *((1, 112, 16, 1), (2, 56, 24, 2), (3, 28, 40, 2), (4, 14, 80, 3)),
        *((5, 14, 112, 3), (6, 7, 192, 4), (7, 7, 320, 1)),
    ):
        last = model.get_layer(f"stage{stage}_block{blocks}_project")
        assert last.output_shape == (None, size, size, channels)
        assert not has_layer(model, f"stage{stage}_block{blocks + 1}_project")
    assert model.get_layer("head_conv").output_shape == (None, 7, 7, 1280)


def test_a_small_stem_keeps_the_size():
    model = zoo.EfficientNetB0(**SMALL, stem_strides=1)
    assert model.get_layer("stem_conv").output_shape == (None, 32, 32, 8)
    assert model.get_layer("head_conv").input_shape == (None, 2, 2, 80)


def test_what_stays_in_full_precision(model):
    names = [layer.name for layer in depthwise_convolutions(model)]
    blocks = [name.removesuffix("_depthwise") for name in names]
    assert len(blocks) == 16
    parts = ("gate_reduce", "gate_expand")
    expected = {f"{block}_{part}" for block in blocks for part in parts}
    assert {one.name for one in float_convolutions(model)} == expected | {"stem_conv"}


def layers_of(model, name):
    """The layers of one block, in order."""
    return [
        layer.name.removeprefix(name) for layer in model.layers if name in layer.name
    ]


GATE = ["_gate_squeeze", "_gate_reduce", "_gate_expand", "_gate_excite"]
EXPAND = ["_expand", "_expand_bn", "_expand_act", "_depthwise"]
NORM = ["_depthwise_bn", "_depthwise_act"]
PROJECT = ["_project", "_project_bn", "_add"]


def test_gates_of_real_activations_come_last():
    for method in ("float", "irnet_w1a32"):
        model = zoo.EfficientNetB0(method, **SMALL)
        expected = EXPAND + NORM + GATE + PROJECT
        assert layers_of(model, "stage6_block2") == expected


def test_gates_of_binary_activations_come_in_front_of_the_normalisation(model):
    assert layers_of(model, "stage6_block2") == EXPAND + GATE + NORM + PROJECT


def test_gates_count_where_activations_are_binary():
    model = zoo.EfficientNetB0("irnet", **SMALL)
    for layer in model.layers:  # shifts, without which all signs are those of a mean
        if isinstance(layer, tf.keras.layers.BatchNormalization):
            layer.beta.assign(tf.random.normal(layer.beta.shape, stddev=0.3))
    images = tf.random.normal((2, 32, 32, 3))
    before = model(images).numpy()
    gate = model.get_layer("stage1_block1_gate_expand")
    gate.bias.assign(tf.linspace(-3.0, 3.0, gate.filters))
    assert np.abs(model(images) - before).max() > 0


def test_shortcuts_are_the_published_ones(model):
    published = [name for name in layers_of(model, "stage") if name.endswith("add")]
    repeated = {2: 2, 3: 2, 4: 3, 5: 3, 6: 4}
    assert sorted(published) == sorted(
        f"{stage}_block{number}_add"
        for stage, blocks in repeated.items()
        for number in range(2, blocks + 1)
    )


def test_a_narrow_network_has_one_more():
    model = zoo.EfficientNetB0(**SMALL)
    assert has_layer(model, "stage1_block1_project_add")
    normal = zoo.EfficientNetB0(**SMALL, block="normal")
    assert not has_layer(normal, "stage1_block1_project_add")


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"width": 0.0}, "`width` to be positive, got 0.0"),
        ({"depth": -1.0}, "`depth` to be positive, got -1.0"),
        ({"depth": float("inf")}, "`depth` to be positive, got inf"),
        ({"stem_strides": 3}, "`stem_strides` to be 1 or 2, got 3"),
    ],
)
def test_errors(arguments, message):
    with pytest.raises(ValueError, match=message):
        zoo.EfficientNetB0(**{**SMALL, **arguments})
