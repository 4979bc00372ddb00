import numpy as np
import pytest
import tensorflow as tf

import zoo
from larq_irnet.layers import ChannelScale, LearnableBias, NamedActivation
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
    return zoo.ReActNet18()


def test_sizes_are_those_of_the_paper(model):
    assert parameters(model) == (10_985_472, 722_792)
    assert millions_of_macs(model) == (1676.28, 137.79)
    assert len(binary_layers(model)) == 16


def test_stages(model):
    assert model.input_shape == (None, 224, 224, 3)
    assert model.get_layer("stem_bn").output_shape == (None, 112, 112, 64)
    assert model.get_layer("stem_pool").output_shape == (None, 56, 56, 64)
    for stage, size in enumerate((56, 28, 14, 7), 1):
        last = model.get_layer(f"stage{stage}_block4_move2")
        assert last.output_shape == (None, size, size, 32 * 2**stage)
        assert not has_layer(model, f"stage{stage}_block5_conv1")
    assert model.output_shape == (None, 1000)


def layers_of(model, name):
    """The layers of one unit, in order."""
    return [
        layer.name.removeprefix(name) for layer in model.layers if name in layer.name
    ]


UNIT = ["_move0", "_conv1", "_conv1_scale", "_conv1_bn", "_conv1_add"]
SHIFTED_PRELU = ["_move1", "_prelu", "_move2"]


def test_a_unit_is_shift_convolution_sum_shift_prelu_shift(model):
    assert layers_of(model, "stage2_block2") == UNIT + SHIFTED_PRELU
    kept = model.get_layer("stage2_block2_conv1_add").input[1]
    assert kept is model.get_layer("stage2_block1_move2").output


@pytest.mark.parametrize("stage", [2, 3, 4])
def test_the_first_unit_of_a_stage_pools_and_projects(stage, model):
    name = f"stage{stage}_block1"
    assert {"_pool", "_conv", "_bn"} < set(layers_of(model, name))
    pool = model.get_layer(f"{name}_pool")
    assert isinstance(pool, tf.keras.layers.AveragePooling2D)
    assert pool.pool_size == pool.strides == (2, 2)
    conv = model.get_layer(f"{name}_conv")
    assert (conv.kernel_size, conv.strides) == ((1, 1), (1, 1))
    assert conv.input is pool.output
    assert pool.input is model.get_layer(f"{name}_move0").input
    assert model.get_layer(f"{name}_conv1").strides == (2, 2)
    kept = model.get_layer(f"{name}_conv1_add").input[1]
    assert kept is model.get_layer(f"{name}_bn").output


def test_what_stays_in_full_precision(model):
    names = [layer.name for layer in float_convolutions(model)]
    assert names == ["stem_conv"] + [f"stage{stage}_block1_conv" for stage in (2, 3, 4)]


def test_it_has_no_activation_but_its_prelus(model):
    assert not any(isinstance(layer, NamedActivation) for layer in model.layers)
    prelus = [one for one in model.layers if isinstance(one, tf.keras.layers.PReLU)]
    assert len(prelus) == 16
    for layer in prelus:
        assert layer.alpha.shape == (1, 1, layer.input_shape[-1])
        np.testing.assert_array_equal(layer.alpha, 0.25)
    assert not has_layer(model, "head_bn")


def test_three_shifts_for_each_convolution_start_at_zero(model):
    shifts = [one for one in model.layers if isinstance(one, LearnableBias)]
    assert len(shifts) == 3 * 16
    assert not any(layer.bias.numpy().any() for layer in shifts)


def test_only_recu_scales_channels():
    model = zoo.ReActNet18("irnet", input_shape=(32, 32, 3), num_classes=3)
    assert not any(isinstance(layer, ChannelScale) for layer in model.layers)
    assert layers_of(model, "stage1_block1") == [
        *("_move0", "_conv1", "_conv1_bn", "_conv1_add"),
        *SHIFTED_PRELU,
    ]


@pytest.mark.parametrize(
    "name, fan_in",
    [
        ("stem_conv", 147),
        ("stage2_block1_conv", 64),
        ("stage4_block2_conv1", 4608),
        ("logits", 512),
    ],
)
def test_initial_weights_are_pytorchs_default(name, fan_in, model):
    for weight in model.get_layer(name).get_weights():
        assert abs(weight).max() <= fan_in**-0.5 * (1 + 1e-6)  # float32
        assert weight.std() == initial_deviation((3 * fan_in) ** -0.5, weight)
