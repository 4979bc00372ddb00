import re

import numpy as np
import pytest
import tensorflow as tf

import zoo
from tests.zoo.models.published_sizes import (
    binary_layers,
    float_convolutions,
    has_layer,
    initial_deviation,
    millions_of_macs,
    parameters,
)


@pytest.fixture(scope="module")
def model():
    return zoo.CifarResNet18()


def test_sizes_are_those_of_the_paper(model):
    assert parameters(model) == (10_985_472, 189_514)
    assert millions_of_macs(model) == (547.36, 8.07)
    assert len(binary_layers(model)) == 16


def test_stages(model):
    shapes = [
        model.get_layer(f"stage{stage}_block2_act").output_shape[1:]
        for stage in (1, 2, 3, 4)
    ]
    assert shapes == [(32, 32, 64), (16, 16, 128), (8, 8, 256), (4, 4, 512)]


def test_the_blocks_are_normal(model):
    assert has_layer(model, "stage1_block1_conv1_act")
    assert not has_layer(model, "stage1_block1_conv1_add")


def test_the_release_of_2020_has_no_activation_in_front(model):
    assert not has_layer(model, "stem_act")
    assert has_layer(model, "head_bn")


def test_the_release_of_2019_does_not_normalise_at_the_end():
    model = zoo.CifarResNet18(release=2019)
    assert has_layer(model, "stem_act")
    assert not has_layer(model, "head_bn")
    assert parameters(model) == (10_985_472, 189_514 - 2 * 512)


def test_initial_weights_are_pytorchs_default(model):
    for name, fan_in in (
        ("stem_conv", 27),
        ("stage2_block1_conv", 64),
        ("stage4_block2_conv2", 4608),
        ("logits", 512),
    ):
        for weight in model.get_layer(name).get_weights():
            limit = np.float32(fan_in**-0.5)  # of the bias as well
            assert abs(weight).max() <= limit
            # of a uniform distribution, within four standard errors of ten numbers
            error = 4 * limit / weight.size**0.5
            assert weight.std() == pytest.approx(limit / 3**0.5, abs=error)


@pytest.mark.parametrize("release", [2018, "2020", 0])
def test_unknown_release(release):
    message = f"`release` to be one of [2019, 2020, 2022], got {release!r}"
    with pytest.raises(ValueError, match=re.escape(message)):
        zoo.CifarResNet18(release=release)


@pytest.fixture(scope="module")
def recu_model():
    return zoo.CifarResNet18("recu")


def test_sizes_of_recu_are_those_of_the_paper(recu_model):
    assert parameters(recu_model) == (10_985_472, 19_530)
    assert millions_of_macs(recu_model) == (547.36, 1.77)
    assert len(binary_layers(recu_model)) == 16


def test_recu_has_normal_blocks_and_no_activation_in_front(recu_model):
    assert has_layer(recu_model, "stage1_block1_conv1_act")
    assert not has_layer(recu_model, "stage1_block1_conv1_add")
    assert not has_layer(recu_model, "stem_act")
    assert has_layer(recu_model, "head_bn")


def test_the_shortcuts_of_recu_have_no_weights(recu_model, model):
    assert [layer.name for layer in float_convolutions(recu_model)] == ["stem_conv"]
    assert len(float_convolutions(model)) == 4
    for stage in (2, 3, 4):
        name = f"stage{stage}_block1"
        pool = recu_model.get_layer(f"{name}_pool")
        assert isinstance(pool, tf.keras.layers.AveragePooling2D)
        assert recu_model.get_layer(name).input is pool.output
        kept = recu_model.get_layer(f"{name}_add").input[1]
        assert kept is recu_model.get_layer(name).output


def test_the_shortcut_can_be_chosen(recu_model, model):
    strided = zoo.CifarResNet18("recu", shortcut="strided")
    projections = parameters(model)[1] - (parameters(recu_model)[1] - 3840)
    assert parameters(strided)[1] == parameters(recu_model)[1] + projections
    pooled = zoo.CifarResNet18("irnet", shortcut="average_pool")
    assert [layer.name for layer in float_convolutions(pooled)] == ["stem_conv"]


def test_recu_starts_from_kaiming_and_a_default_classifier(recu_model):
    for name, fan_in in ("stem_conv", 27), ("stage4_block2_conv2", 4608):
        (kernel,) = recu_model.get_layer(name).get_weights()
        assert kernel.std() == initial_deviation((2 / fan_in) ** 0.5, kernel)
    kernel, bias = recu_model.get_layer("logits").get_weights()
    assert 0.99 * 512**-0.5 < abs(kernel).max() <= 512**-0.5
    assert 0 < abs(bias).max() <= 512**-0.5


def test_the_release_of_2019_is_irnets_whatever_the_method():
    model = zoo.CifarResNet18("recu", release=2019)
    assert has_layer(model, "stem_act")
    assert not has_layer(model, "head_bn")
