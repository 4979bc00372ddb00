import numpy as np
import pytest

import larq_irnet as irnet
import zoo
from tests.zoo.models.published_sizes import (
    binary_layers,
    has_layer,
    initial_deviation,
    millions_of_macs,
    parameters,
)

UNUSED = 2_000  # parameters of bn3, which the authors count and never use
SIZES = {
    "ResNet18": (10_985_472, 707_064 - UNUSED),
    "ResNet34": (21_086_208, 714_488 - UNUSED),
}
SIZES_OF_RECU = {
    "ResNet18": (10_985_472, 708_904),
    "ResNet34": (21_086_208, 720_040),
}
MACS = {"ResNet18": (1676.28, 137.79), "ResNet34": (3525.97, 137.79)}
BLOCKS = {"ResNet18": [2, 2, 2, 2], "ResNet34": [3, 4, 6, 3]}


@pytest.fixture(scope="module", params=["ResNet18", "ResNet34"])
def name(request):
    return request.param


@pytest.fixture(scope="module")
def model(name):
    return zoo.models.get(name)()


def test_sizes_are_those_of_the_paper(name, model):
    assert parameters(model) == SIZES[name]
    assert millions_of_macs(model) == MACS[name]
    assert len(binary_layers(model)) == {"ResNet18": 16, "ResNet34": 32}[name]


def test_stages(name, model):
    assert model.input_shape == (None, 224, 224, 3)
    assert model.get_layer("stem_act").output_shape == (None, 112, 112, 64)
    assert model.get_layer("stem_pool").output_shape == (None, 56, 56, 64)
    for stage, (blocks, size) in enumerate(zip(BLOCKS[name], (56, 28, 14, 7)), 1):
        last = model.get_layer(f"stage{stage}_block{blocks}_conv2_act")
        assert last.output_shape == (None, size, size, 32 * 2**stage)
        assert not has_layer(model, f"stage{stage}_block{blocks + 1}_conv1")
    assert model.output_shape == (None, 1000)


def test_blocks_follow_the_method(name, model):
    assert has_layer(model, "stage1_block1_conv1_add")  # bi_real
    small = {"input_shape": (32, 32, 3), "num_classes": 3}
    weight_only = zoo.models.get(name)("irnet_w1a32", **small)
    assert not has_layer(weight_only, "stage1_block1_conv1_add")
    assert has_layer(weight_only, "stage1_block1_add")
    other = zoo.models.get(name)("irnet", block="normal", **small)
    assert has_layer(other, "stage1_block1_add")


def test_initial_weights_are_those_of_the_authors(model):
    for layer, fan_out in (
        ("stem_conv", 49 * 64),
        ("stage2_block1_conv", 128),
        ("stage4_block2_conv2", 9 * 512),
    ):
        kernel = model.get_layer(layer).get_weights()[0]
        deviation = np.sqrt(2 / fan_out)
        # four standard errors of a sample deviation
        error = 4 * deviation / np.sqrt(2 * kernel.size)
        assert kernel.std() == pytest.approx(deviation, abs=error)
    for weight in model.get_layer("logits").get_weights():
        assert 0.99 * 512**-0.5 < abs(weight).max() <= 512**-0.5


@pytest.fixture(scope="module")
def recu_model(name):
    return zoo.models.get(name)("recu")


def test_sizes_of_recu_are_those_of_the_paper(name, recu_model):
    assert parameters(recu_model) == SIZES_OF_RECU[name]
    assert millions_of_macs(recu_model) == MACS[name]


def test_recu_has_the_blocks_and_projections_of_irnet(recu_model, model):
    scale = irnet.layers.ChannelScale
    layers = [one for one in recu_model.layers if not isinstance(one, scale)]
    assert [one.name for one in layers] == [one.name for one in model.layers]
    assert recu_model.get_layer("stage2_block1_conv").strides == (2, 2)


def test_recu_starts_from_kaiming_over_the_inputs(recu_model):
    for layer, fan_in in (
        ("stem_conv", 147),
        ("stage2_block1_conv", 64),
        ("stage4_block2_conv2", 4608),
    ):
        (kernel,) = recu_model.get_layer(layer).get_weights()
        assert kernel.std() == initial_deviation((2 / fan_in) ** 0.5, kernel)
