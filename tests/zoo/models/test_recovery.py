"""IR2Net's networks for small images: information recovery, and who has it."""

import numpy as np
import pytest
import tensorflow as tf

import larq_irnet as irnet
import zoo
from tests.zoo.models.published_sizes import has_layer, parameters

# taps, channels of the fusion's input, size, ratio, parameters beside the binary ones
NETWORKS = {
    "ResNet20": (
        ["stem_act", *(f"stage{s}_block3_conv2_act" for s in (1, 2, 3))],
        *(128, 8, 4, 5_194),
    ),
    "CifarResNet18": (
        ["stem_act", *(f"stage{s}_block2_act" for s in (1, 2, 3, 4))],
        *(1024, 4, 20, 221_624),
    ),
    "VGGSmall": (["conv0_act", "conv5_act"], 640, 4, 32, 104_698),
}


@pytest.fixture(scope="module", params=NETWORKS)
def name(request):
    return request.param


@pytest.fixture(scope="module")
def model(name):
    return zoo.models.get(name)("ir2net")


def producer(tensor):
    """The name of the layer that a tap is the output of, behind its pool."""
    layer = tensor.node.layer
    is_pool = isinstance(layer, tf.keras.layers.AveragePooling2D)
    return layer.input.node.layer.name if is_pool else layer.name


def test_taps(name, model):
    taps, channels, size, ratio, _ = NETWORKS[name]
    assert [producer(one) for one in model.get_layer("fusion_concat").input] == taps
    fusion = model.get_layer("fusion")
    assert fusion.input_shape == (None, size, size, channels)
    assert (fusion.ratio, fusion.groups) == (ratio, None)
    assert fusion.activation == "hard_tanh"
    assert fusion.filters == model.get_layer(taps[-1]).output_shape[-1]


def test_sizes_are_those_of_the_authors(name, model):
    assert parameters(model)[1] == NETWORKS[name][-1]


@pytest.mark.parametrize("method", ["irnet", "recu", "float", "ste_sign"])
def test_recovery_with_other_methods(name, method):
    build = zoo.models.get(name)
    small = {"input_shape": (16, 16, 3)}
    assert not has_layer(build(method, **small), "fusion")
    model = build(method, **small, recovery="ir2net", bn_gamma="uniform")
    fusion = model.get_layer("fusion")
    assert fusion.activation == irnet.methods.get(method).activation
    gamma = fusion.cheap_bn.gamma.numpy()
    assert 0 <= gamma.min() < gamma.max() < 1


def test_the_network_without_recovery(name):
    build, small = zoo.models.get(name), {"input_shape": (16, 16, 3)}
    model = build("ir2net", **small, recovery="none")
    assert not has_layer(model, "fusion")
    twin = build("ste_sign", **small, **_release(name))
    assert parameters(model) == parameters(twin)


def _release(name):
    return {"release": 2022} if name == "CifarResNet18" else {}


def test_a_fusion_of_ones_own(name):
    recovery = {"ratio": 2, "groups": 8}
    model = zoo.models.get(name)("ir2net", input_shape=(16, 16, 3), recovery=recovery)
    fusion = model.get_layer("fusion")
    assert (fusion.ratio, fusion.groups) == (2, 8)


def test_normalisations_are_pytorchs(model):
    for norm in model.get_layer("fusion").parts[1::3]:
        assert (norm.momentum, norm.epsilon) == (0.9, 1e-5)
        np.testing.assert_array_equal(norm.gamma, 1.0)


def test_synchronized_normalisations(name):
    model = zoo.models.get(name)(
        "ir2net", input_shape=(16, 16, 3), synchronized_batch_norm=True
    )
    assert all(norm.synchronized for norm in model.get_layer("fusion").parts[1::3])


def test_keras_file_round_trip(name, tmp_path):
    build = zoo.models.get(name)
    model = build("ir2net", input_shape=(16, 16, 3), alignment="torch")
    model.save(tmp_path / "model.keras")
    loaded = tf.keras.models.load_model(tmp_path / "model.keras")
    images = tf.random.normal((2, 16, 16, 3))
    np.testing.assert_array_equal(loaded(images), model(images))


def test_larq_does_not_warn_of_a_constraint_that_the_method_means_not_to_have(
    name, caplog, tmp_path
):
    model = zoo.models.get(name)("ir2net", input_shape=(16, 16, 3))
    model.save(tmp_path / "model.keras")
    tf.keras.models.load_model(tmp_path / "model.keras")
    assert "starved" not in caplog.text
    irnet.layers.QuantConv2D(2, 3, kernel_quantizer="ste_sign")
    assert "starved" in caplog.text


def test_ir2nets_cifar_resnet18_has_both_ends():
    model = zoo.CifarResNet18("ir2net", input_shape=(16, 16, 3))
    assert has_layer(model, "stem_act") and has_layer(model, "head_bn")
    model = zoo.CifarResNet18("ir2net", input_shape=(16, 16, 3), release=2020)
    assert not has_layer(model, "stem_act")


@pytest.mark.parametrize(
    "network, size, message",
    [
        ("ResNet20", (18, 16), "'stem_act' to be multiples .*, 5x4, .* got 18x16"),
        ("CifarResNet18", (16, 20), "'stem_act' to be multiples .* 2x3, .* got 16x20"),
        ("VGGSmall", (18, 16), "height and width to be multiples of 8"),
    ],
)
def test_sizes_that_strides_do_not_divide(network, size, message):
    build = zoo.models.get(network)
    with pytest.raises(ValueError, match=message):
        build("ir2net", input_shape=(*size, 3))


def test_unknown_recovery(name):
    message = r"`recovery` out of \['none', 'ir2net'\] or a mapping .* got 'A'"
    with pytest.raises(ValueError, match=message):
        zoo.models.get(name)("irnet", input_shape=(16, 16, 3), recovery="A")
