"""What acts on channels moves from behind a max pool to the convolution in front."""

import numpy as np
import pytest
import tensorflow as tf

import larq_irnet as irnet
from tests.tflite_export import networks
from tests.tflite_export.rewrites.comparison import (
    assert_same_function,
    kinds,
    rewritten,
)
from tflite_export.rewrites import rewrite_layers

layers = tf.keras.layers

POOLED = ["QuantConv2D", "MaxPooling2D", "BatchNormalization", "QuantConv2D"]
MOVED = ["QuantConv2D", "BatchNormalization", "MaxPooling2D", "QuantConv2D"]


def pooled(reader=None, pool=None, norm=None, activation=None):
    images = tf.keras.Input((8, 8, 4))
    x = networks.binary_conv(8, "conv", activation=activation)(images)
    x = (pool or layers.MaxPooling2D())(x)
    x = (norm or layers.BatchNormalization(name="bn"))(x)
    reader = reader or networks.binary_conv(4, "next", padding="valid")
    return tf.keras.Model(images, reader(x))


POOLS = {
    "valid": layers.MaxPooling2D(),
    "same": layers.MaxPooling2D(3, 2, padding="same"),
    "overlapping": layers.MaxPooling2D(3, 1),
    "subsampling": layers.MaxPooling2D(1, 2),
}


@pytest.mark.parametrize("pool", POOLS)
@pytest.mark.parametrize("options", [{}, {"center": False}])
def test_negative_scales_turn_the_kernels_that_read_them(pool, options):
    norm = layers.BatchNormalization(name="bn", **options)
    model = pooled(pool=POOLS[pool], norm=norm)
    if not options:
        networks.randomize_batch_norms(model)
    else:
        gamma = np.where(np.arange(8) % 2, -1.0, 1.0)
        norm.set_weights([gamma, np.arange(8) - 4.0, np.ones(8)])
    assert (norm.gamma.numpy() < 0).any()
    result, done = rewrite_layers(model)
    assert_same_function(model, result)
    assert kinds(result) == MOVED
    assert done[-1].layer == "bn"


READERS = {
    "1x1": lambda: irnet.layers.QuantConv2D(4, 1, quantizer="irnet", padding="same"),
    "zeros": lambda: networks.binary_conv(4, "next", pad_values=0.0),
    "dense": lambda: tf.keras.Sequential(
        [layers.Flatten(), irnet.layers.QuantDense(4, quantizer="recu")]
    ),
}


@pytest.mark.parametrize("reader", ["1x1", "zeros"])
def test_readers_that_pad_with_nothing_or_zeros_are_turned(reader):
    result, _ = rewritten(pooled(READERS[reader]()))
    assert kinds(result) == MOVED


def test_dense_layers_are_turned():
    images = tf.keras.Input((8, 8, 4))
    x = layers.MaxPooling2D()(networks.binary_conv(32, "conv")(images))
    x = layers.Flatten()(layers.BatchNormalization()(x))
    x = irnet.layers.QuantDense(4, quantizer="recu")(x)
    result, _ = rewritten(tf.keras.Model(images, x))
    assert kinds(result) == [*MOVED, "Reshape"]


KEPT = {
    "pads with ones": {"reader": networks.binary_conv(4, "next")},
    "reads values": {"reader": layers.Conv2D(4, 3)},
    "shifts before the sign": {
        "reader": networks.binary_conv(
            4, "next", padding="valid", input_quantizer=networks.shifted_sign
        )
    },
    "activation between": {"activation": "relu"},
    "average pool": {"pool": layers.AveragePooling2D()},
    "other axis": {"norm": layers.BatchNormalization(axis=1)},
    "negative factors": {"norm": irnet.layers.ChannelScale()},
}


@pytest.mark.parametrize("case", KEPT)
def test_what_would_not_be_exact_or_not_fold_stays(case):
    _, done = rewritten(pooled(**KEPT[case]))
    assert done == []


@pytest.mark.parametrize("case", ["pads with ones", "reads values"])
def test_positive_scales_move_whatever_reads_them(case):
    model = pooled(**KEPT[case])
    statistics = [np.linspace(0.0, 2, 8), np.ones(8), np.ones(8), np.ones(8)]
    model.get_layer("bn").set_weights(statistics)
    result, _ = rewrite_layers(model)
    assert_same_function(model, result)
    assert kinds(result)[:3] == MOVED[:3]


def test_shifts_and_scales_follow_one_another():
    images = tf.keras.Input((8, 8, 4))
    x = layers.MaxPooling2D()(networks.binary_conv(8, "conv")(images))
    x = layers.BatchNormalization(scale=False)(x)
    x = irnet.layers.LearnableBias()(layers.Dropout(0.2)(x))
    model = tf.keras.Model(images, networks.binary_conv(4, "next")(x))
    networks.randomize_channels(model)
    result, _ = rewrite_layers(model)
    assert_same_function(model, result)
    assert kinds(result) == [
        *MOVED[:2],
        "LearnableBias",
        *MOVED[2:],
    ]


def test_zeros_keep_their_signs():
    # of an untrained network: integers, with no shift, of both signs
    model = pooled()
    gamma = np.where(np.arange(8) % 2, -1.0, 1.0)
    for beta in (0.0, 2.0, -2.0):
        values = [gamma, np.full(8, beta), np.zeros(8), np.full(8, 1 - 1e-3)]
        model.get_layer("bn").set_weights(values)
        probe = tf.keras.Model(model.input, model.get_layer("bn").output)
        x = np.random.default_rng(0).normal(size=(16, 8, 8, 4)).astype(np.float32)
        assert (probe(x).numpy() == 0.0).any()
        result, _ = rewrite_layers(model)
        np.testing.assert_array_equal(result(x), model(x))
        assert kinds(result) == MOVED


def test_a_convolution_that_others_read_keeps_its_pool():
    images = tf.keras.Input((8, 8, 4))
    x = networks.binary_conv(8, "conv")(images)
    y = layers.BatchNormalization()(layers.MaxPooling2D()(x))
    y = networks.binary_conv(4, "next", padding="valid")(y)
    _, done = rewritten(tf.keras.Model(images, [y, x]))
    assert done == []
