import numpy as np
import pytest
import tensorflow as tf

import larq_irnet as irnet
import zoo
from tests.zoo.models.published_sizes import (
    binary_layers,
    has_layer,
    initial_deviation,
    parameters,
)


@pytest.fixture(scope="module")
def model():
    return zoo.IR2Net18()


def test_sizes_are_those_of_the_authors(model):
    assert parameters(model) == (10_985_472, 1_234_792)
    assert len(binary_layers(model)) == 16


@pytest.mark.parametrize(
    "recovery, others",
    [("A", 1_234_792), ("B", 974_952), ("C", 896_872), ("D", 741_598)],
)
def test_fusions(recovery, others):
    model = zoo.IR2Net18(recovery=recovery, input_shape=(32, 32, 3))
    assert parameters(model) == (10_985_472, others)
    fusion = model.get_layer("fusion")
    assert fusion.activation == "prelu"
    assert fusion.input_shape[-1] == 1024
    assert fusion.output_shape == (None, 1, 1, 512)


def test_without_recovery():
    model = zoo.IR2Net18(recovery="none", input_shape=(64, 64, 3))
    assert not has_layer(model, "fusion")
    # ReActNet's network has three shifts in each of 16 units more, and no PReLU and no
    # normalisation at its ends
    reactnet = zoo.ReActNet18("ir2net", input_shape=(64, 64, 3))
    shifts = sum(
        weight.shape.num_elements()
        for layer in reactnet.layers
        if isinstance(layer, irnet.layers.LearnableBias)
        for weight in layer.weights
    )
    assert sum(parameters(model)) == sum(parameters(reactnet)) - shifts + 64 + 2 * 512


def test_taps_are_the_stem_in_front_of_its_pool_and_all_stages(model):
    taps = model.get_layer("fusion_concat").input
    assert [tap.shape[1:] for tap in taps] == [
        *((7, 7, 64), (7, 7, 64), (7, 7, 128), (7, 7, 256), (7, 7, 512)),
    ]
    pools = [f"fusion_pool{number}" for number in range(1, 5)]
    sources = [model.get_layer(pool).input.node.layer.name for pool in pools]
    assert sources == ["stem_prelu", *(f"stage{s}_block4_prelu" for s in (1, 2, 3))]
    sizes = [model.get_layer(pool).pool_size for pool in pools]
    assert sizes == [(16, 16), (8, 8), (4, 4), (2, 2)]
    assert taps[-1] is model.get_layer("stage4_block4_prelu").output


def layers_of(model, name):
    """The layers of one unit, in order."""
    return [
        layer.name.removeprefix(name) for layer in model.layers if name in layer.name
    ]


def test_a_unit_is_convolution_sum_prelu(model):
    expected = ["_conv1", "_conv1_bn", "_conv1_add", "_prelu"]
    assert layers_of(model, "stage2_block2") == expected
    kept = model.get_layer("stage2_block2_conv1_add").input[1]
    assert kept is model.get_layer("stage2_block1_prelu").output
    assert {"_pool", "_conv", "_bn"} < set(layers_of(model, "stage3_block1"))


def test_initial_weights(model):
    for layer in binary_layers(model):
        kernel = layer.get_weights()[0]
        assert 0.0 <= kernel.min() < 2e-6 and 0.00099 < kernel.max() < 0.001
    for name, fan_in in ("stem_conv", 147), ("stage2_block1_conv", 64):
        kernel = model.get_layer(name).get_weights()[0]
        deviation = initial_deviation(1 / np.sqrt(3 * fan_in), kernel)
        assert kernel.std() == deviation
    for weight in model.get_layer("fusion").weights:
        if "alpha" in weight.name:
            np.testing.assert_array_equal(weight, 0.25)
        if "gamma" in weight.name:
            np.testing.assert_array_equal(weight, 1.0)


def test_every_weight_gets_a_gradient():
    model = zoo.IR2Net18(recovery="C", input_shape=(64, 64, 3), num_classes=10)
    images = tf.random.normal((4, 64, 64, 3))
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(tf.square(model(images, training=True) - 1.0))
    gradients = tape.gradient(loss, model.trainable_weights)
    for gradient, weight in zip(gradients, model.trainable_weights):
        assert np.isfinite(gradient).all(), weight.name
        assert np.abs(gradient).max() > 0, weight.name


@pytest.mark.parametrize(
    "arguments, message",
    [
        (
            {"recovery": "E"},
            r"`recovery` out of \['none', 'A', 'B', 'C', 'D'\] or .* got 'E'",
        ),
        ({"recovery": {"groups": 8}}, "`recovery` with a 'ratio' and maybe 'groups'"),
        ({"recovery": {"ratio": 2, "act": "relu"}}, "got {'ratio': 2, 'act': 'relu'}"),
        ({"input_shape": (80, 64, 3)}, "multiples of those of the last, 3x2, .* 40x32"),
    ],
)
def test_errors(arguments, message):
    with pytest.raises(ValueError, match=message):
        zoo.IR2Net18(**{"input_shape": (64, 64, 3), **arguments})
