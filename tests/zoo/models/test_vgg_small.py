import numpy as np
import pytest

import zoo
from tests.zoo.models.published_sizes import (
    binary_layers,
    initial_deviation,
    millions_of_macs,
    parameters,
)


@pytest.fixture(scope="module")
def model():
    return zoo.VGGSmall()


def test_sizes_are_those_of_the_paper(model):
    assert parameters(model) == (4_571_136, 88_970)
    assert millions_of_macs(model) == (603.98, 3.62)
    assert len(binary_layers(model)) == 5


def test_pools_come_between_convolution_and_normalisation(model):
    names = [layer.name for layer in model.layers]
    assert names[1:] == [
        *("conv0", "conv0_bn", "conv0_act"),
        *("conv1", "conv1_pool", "conv1_bn", "conv1_act"),
        *("conv2", "conv2_bn", "conv2_act"),
        *("conv3", "conv3_pool", "conv3_bn", "conv3_act"),
        *("conv4", "conv4_bn", "conv4_act"),
        *("conv5", "conv5_pool", "conv5_bn", "conv5_act"),
        *("flatten", "logits"),
    ]
    assert model.get_layer("conv5_act").output_shape == (None, 4, 4, 512)
    assert model.get_layer("flatten").output_shape == (None, 8192)


def test_initial_weights_are_those_of_the_authors(model):
    for name, fan_out in ("conv0", 9 * 128), ("conv3", 9 * 256), ("conv5", 9 * 512):
        kernel = model.get_layer(name).get_weights()[0]
        deviation = np.sqrt(2 / fan_out)
        # four standard errors of a sample deviation
        error = 4 * deviation / np.sqrt(2 * kernel.size)
        assert kernel.std() == pytest.approx(deviation, abs=error)
    kernel, bias = model.get_layer("logits").get_weights()
    error = 4 * 0.01 / np.sqrt(2 * kernel.size)
    assert kernel.std() == pytest.approx(0.01, abs=error)
    assert not bias.any()


@pytest.mark.parametrize("input_shape", [(30, 32, 3), (32, 28, 3), (4, 4, 1)])
def test_sizes_that_cannot_be_halved_three_times(input_shape):
    with pytest.raises(ValueError, match="multiples of 8, as they are halved three"):
        zoo.VGGSmall(input_shape=input_shape)


@pytest.fixture(scope="module")
def recu_model():
    return zoo.VGGSmall("recu")


def test_sizes_of_recu_are_those_of_the_paper(recu_model):
    assert parameters(recu_model) == (4_571_136, 90_634)
    assert millions_of_macs(recu_model) == (603.98, 3.62)
    assert len(binary_layers(recu_model)) == 5


def test_recu_scales_channels_in_front_of_the_pool(recu_model):
    names = [layer.name for layer in recu_model.layers]
    start = names.index("conv1")
    expected = ["conv1", "conv1_scale", "conv1_pool", "conv1_bn", "conv1_act"]
    assert names[start : start + 5] == expected


def test_recu_starts_as_irnet_but_for_the_classifier(recu_model):
    for name, fan_out in ("conv0", 9 * 128), ("conv5", 9 * 512):
        (kernel,) = recu_model.get_layer(name).get_weights()
        assert kernel.std() == initial_deviation((2 / fan_out) ** 0.5, kernel)
    kernel, bias = recu_model.get_layer("logits").get_weights()
    assert 0.99 * 8192**-0.5 < abs(kernel).max() <= 8192**-0.5
    assert 0 < abs(bias).max() <= 8192**-0.5
