"""What all networks have in common: options, geometry, errors."""

import functools
import itertools
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

import larq_irnet as irnet
import zoo
from larq_irnet.layers import NamedActivation
from tests.zoo.models.published_sizes import binary_layers, logits_of_zeros
from zoo.models import Rotate180

SMALL = {"input_shape": (16, 16, 3)}
# ResNet34 is ResNet18 with more blocks: see test_imagenet_resnet
NAMES = [name for name in zoo.models.names() if name != "ResNet34"]
# networks whose size is an option, in a size that has all of their parts
SMALLER: dict[str, dict[str, Any]] = {
    "DARTS": {"channels": 8, "cells": 4},
    "EfficientNetB0": {"width": 0.25, "depth": 0.5},
    "MobileNetV1": {"alpha": 0.25},
}
POINTWISE = list(SMALLER)  # all binary convolutions are


def batch_norms(model):
    kind = tf.keras.layers.BatchNormalization
    return [layer for layer in model.layers if isinstance(layer, kind)]


@pytest.fixture(scope="module", params=NAMES)
def network(request):
    return request.param


@pytest.fixture(scope="module")
def builder(network):
    return functools.partial(zoo.models.get(network), **SMALLER.get(network, {}))


@pytest.fixture(scope="module")
def model(builder):
    return builder("irnet", **SMALL)


def test_logits(builder):
    model = builder("irnet_w1a32", input_shape=(24, 8, 2), num_classes=7)
    logits = logits_of_zeros(model)
    assert model.input_shape == (None, 24, 8, 2)
    assert logits.shape == (2, 7)
    assert np.isfinite(logits).all()


def test_binary_layers_have_the_method_and_no_bias(network, model):
    for layer in binary_layers(model):
        assert layer.method == "irnet"
        assert layer.pad_values == 0.0
        assert layer.kernel_size == ((1, 1) if network in POINTWISE else (3, 3))
        assert layer.padding == ("valid" if network in POINTWISE else "same")
        assert not layer.use_bias
    quantizers = irnet.callbacks.scheduled_quantizers(model)
    assert len(quantizers) == 2 * len(binary_layers(model))  # none is shared


@pytest.fixture(scope="module")
def recu_model(builder):
    return builder("recu", **SMALL)


def test_weight_only_layers_take_full_precision_inputs(network, builder):
    model = builder("irnet_w1a32", **SMALL)
    assert {layer.input_quantizer for layer in binary_layers(model)} == {None}
    activations = [one for one in model.layers if isinstance(one, NamedActivation)]
    names = {layer.activation.__name__ for layer in activations}
    others = {"IR2Net18": set(), "ReActNet18": set(), "EfficientNetB0": {"swish"}}
    assert names == others.get(network, {"relu"})  # the former two have PReLUs


def channel_scales(model):
    kind = irnet.layers.ChannelScale
    return [layer for layer in model.layers if isinstance(layer, kind)]


def test_recu_scales_the_channels_of_every_binary_convolution(recu_model, model):
    for layer in binary_layers(recu_model):
        (node,) = layer.outbound_nodes
        scale = node.outbound_layer
        assert isinstance(scale, irnet.layers.ChannelScale)
        assert scale.name == f"{layer.name}_scale"
        assert scale.alpha.shape == layer.kernel.shape[-1:]
    assert len(channel_scales(recu_model)) == len(binary_layers(recu_model))
    assert channel_scales(model) == []


def test_no_two_channel_scales_start_alike(recu_model):
    alphas = [layer.alpha.numpy() for layer in channel_scales(recu_model)]
    for one, other in itertools.combinations(alphas, 2):
        n = min(len(one), len(other))
        assert (one[:n] != other[:n]).any()


def test_recu_schedules_its_kernels_only(recu_model):
    quantizers = irnet.callbacks.scheduled_quantizers(recu_model)
    assert {type(quantizer) for quantizer in quantizers} == {irnet.quantizers.ReCU}
    assert len(quantizers) == len(binary_layers(recu_model))


def test_constants_of_the_estimator_keep_the_choices_of_the_method(builder, recu_model):
    method = irnet.methods.get("recu").with_estimator(tau_min=0.7)
    model = builder(method, **SMALL)
    assert [w.shape for w in model.weights] == [w.shape for w in recu_model.weights]
    assert {layer.kernel_quantizer.tau_min for layer in binary_layers(model)} == {0.7}


def test_every_weight_of_recu_gets_a_gradient(recu_model):
    images = tf.random.normal((8, *recu_model.input_shape[1:]))
    with tf.GradientTape() as tape:
        logits = recu_model(images, training=True)
        loss = tf.reduce_mean(tf.square(logits - 1.0))
    gradients = tape.gradient(loss, recu_model.trainable_weights)
    for gradient, weight in zip(gradients, recu_model.trainable_weights):
        assert np.isfinite(gradient).all(), weight.name
        assert np.abs(gradient).max() > 0, weight.name


def test_the_float_network_has_the_same_weights(network, builder, model):
    twin = builder("float", **SMALL)
    ours, theirs = ([(w.name, w.shape) for w in one.weights] for one in (model, twin))
    if network == "EfficientNetB0":  # its gates stand elsewhere
        ours, theirs = sorted(ours), sorted(theirs)
    assert ours == theirs
    assert {layer.kernel_quantizer for layer in binary_layers(twin)} == {None}


def test_batch_norms_are_pytorchs(model):
    assert {(layer.momentum, layer.epsilon) for layer in batch_norms(model)} == {
        (0.9, 1e-5)
    }


@pytest.mark.parametrize("bn_gamma, expected", [("ones", (1, 1)), ("uniform", (0, 1))])
def test_initial_gammas(builder, bn_gamma, expected):
    norms = batch_norms(builder("irnet", **SMALL, bn_gamma=bn_gamma))
    gammas = np.concatenate([layer.gamma.numpy() for layer in norms])
    lowest, highest = gammas.min(), gammas.max()
    # of some hundred uniform numbers the extremes are within 0.05 of the ends
    assert (lowest, highest) == pytest.approx(expected, abs=0.05)
    if bn_gamma == "uniform":  # no two layers share a stream of random numbers
        for one, other in itertools.combinations(norms, 2):
            n = min(one.gamma.shape[0], other.gamma.shape[0])
            assert (one.gamma[:n].numpy() != other.gamma[:n].numpy()).any()


def test_gammas_near_zero_but_for_the_one_in_front_of_the_classifier(network, builder):
    norms = batch_norms(builder("recu", **SMALL, bn_gamma="near_zero"))
    (head,) = [one for one in norms if one.name == "head_bn"] or [None]
    for layer in norms:
        gamma = layer.gamma.numpy()
        if layer is head:
            assert 0.0 <= gamma.min() and 0.9 < gamma.max() < 1.0
        else:
            np.testing.assert_array_equal(gamma, np.float32(1e-8))
    assert (head is None) == (network in ("ReActNet18", "VGGSmall", *SMALLER))


def test_synchronized_batch_norms(builder, model):
    synchronized = builder("irnet", **SMALL, synchronized_batch_norm=True)
    assert {layer.synchronized for layer in batch_norms(synchronized)} == {True}
    assert {layer.synchronized for layer in batch_norms(model)} == {False}


def test_ones_as_padding(builder):
    model = builder("irnet", **SMALL, pad_values=1.0)
    assert {layer.pad_values for layer in binary_layers(model)} == {1.0}


def test_only_the_torch_alignment_rotates(network, builder, model):
    rotated = builder("irnet", **SMALL, alignment="torch")
    has_strides = network != "VGGSmall"
    rotations = [layer for layer in rotated.layers if isinstance(layer, Rotate180)]
    assert len(rotations) == has_strides
    assert not any(isinstance(layer, Rotate180) for layer in model.layers)
    assert [w.shape for w in rotated.weights] == [w.shape for w in model.weights]


def test_its_name(builder):
    assert builder("irnet", **SMALL, name="mine").name == "mine"


@pytest.mark.parametrize("policy", ["float64", "mixed_float16"])
def test_logits_have_the_precision_of_the_weights(builder, policy):
    tf.keras.mixed_precision.set_global_policy(policy)
    model = builder("irnet", **SMALL)
    expected = "float64" if policy == "float64" else "float32"
    assert model.input.dtype == model.output.dtype == expected
    assert {w.dtype.name for w in model.weights} == {expected}


def test_keras_file_round_trip(builder, tmp_path):
    # ReCU's networks have every kind of layer that IR-Net's have
    model = builder("recu", **SMALL, alignment="torch", bn_gamma="uniform")
    model.save(tmp_path / "model.keras")
    loaded = tf.keras.models.load_model(tmp_path / "model.keras")
    images = tf.random.normal((2, 16, 16, 3))
    np.testing.assert_array_equal(loaded(images), model(images))


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"method": "nope"}, r"Expected a method out of \[.*'irnet'.*\], got 'nope'"),
        ({"alignment": "caffe"}, "'tensorflow' or 'torch', got 'caffe'"),
        ({"pad_values": 0.5}, r"`pad_values` to be 0.0 or 1.0, got 0.5"),
        ({"pad_values": -1.0}, r"`pad_values` to be 0.0 or 1.0, got -1.0"),
        ({"bn_gamma": "twos"}, r"`bn_gamma` out of \['ones', .*\], got 'twos'"),
        ({"input_shape": (32, 32)}, r"`input_shape` .*, got \(32, 32\)"),
        ({"input_shape": (None, 32, 3)}, r"`input_shape` .*, got \(None, 32, 3\)"),
        ({"input_shape": (0, 32, 3)}, r"`input_shape` .*, got \(0, 32, 3\)"),
        ({"input_shape": (32, 32.0, 3)}, r"`input_shape` .*, got \(32, 32.0, 3\)"),
        ({"input_shape": 32}, "`input_shape` .*, got 32"),
    ],
)
def test_errors(builder, arguments, message):
    with pytest.raises(ValueError, match=message):
        builder(**{**SMALL, **arguments})


@pytest.mark.parametrize("name", ["ResNet18", "ResNet20", "ResNet34", *SMALLER])
def test_unknown_block(name):
    message = r"`block` out of \['bi_real', 'normal'\], got 'dense'"
    with pytest.raises(ValueError, match=message):
        zoo.models.get(name)("irnet", **SMALL, block="dense")


@pytest.mark.parametrize("name", ["CifarResNet18", "ResNet20"])
def test_unknown_shortcut(name):
    message = r"`shortcut` out of \['strided', 'average_pool'\], got 'pooled'"
    with pytest.raises(ValueError, match=message):
        zoo.models.get(name)("irnet", **SMALL, shortcut="pooled")


def test_gammas_that_float16_does_not_hold():
    tf.keras.mixed_precision.set_global_policy("mixed_float16")
    message = "precision that holds 1e-8 with bn_gamma='near_zero', got mixed_float16"
    with pytest.raises(ValueError, match=message):
        zoo.models.get("ResNet18")("recu", **SMALL, bn_gamma="near_zero")
    tf.keras.mixed_precision.set_global_policy("mixed_bfloat16")
    model = zoo.models.get("ResNet20")("recu", **SMALL, bn_gamma="near_zero")
    assert model.output_shape == (None, 10)
