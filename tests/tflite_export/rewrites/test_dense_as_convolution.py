"""Binary dense layers become convolutions of what they read."""

import numpy as np
import pytest
import tensorflow as tf

import larq_irnet as irnet
from tests.tflite_export import networks
from tests.tflite_export.rewrites.comparison import kinds, rewritten

layers = tf.keras.layers


def _dense_network(channels=8, **options):
    return tf.keras.Sequential(
        [
            tf.keras.Input((4, 3, channels)),
            layers.Flatten(),
            irnet.layers.QuantDense(6, quantizer="recu", name="fc1", **options),
            layers.BatchNormalization(name="bn1"),
            irnet.layers.QuantDense(5, quantizer="dirnet", name="fc2", **options),
        ]
    )


@pytest.mark.parametrize("use_bias", [True, False])
def test_pixels_are_convolved(use_bias):
    model = _dense_network(use_bias=use_bias, bias_initializer="ones")
    result, done = rewritten(model)
    assert [one.layer for one in done] == ["fc1", "fc2"]
    for fc, channels in {"fc1": 4 * 3 * 8, "fc2": 6}.items():
        layer = result.get_layer(fc)
        assert type(layer) is irnet.layers.QuantConv2D
        assert layer.get_weights()[0].shape[:3] == (1, 1, channels)
    assert result.output_shape == model.output_shape


def test_whole_images_are_convolved_where_their_channels_fill_words():
    result, _ = rewritten(_dense_network(channels=32))
    assert result.get_layer("fc1").kernel.shape == (4, 3, 32, 6)
    assert kinds(result) == [
        "QuantConv2D",
        "Reshape",
        "BatchNormalization",
        "Reshape",
        "QuantConv2D",
        "Reshape",
    ]


def test_a_flattened_image_that_others_read_stays():
    images = tf.keras.Input((2, 2, 32))
    flat = layers.Flatten(name="flat")(images)
    heads = [irnet.layers.QuantDense(3, quantizer="irnet")(flat), layers.Dense(3)(flat)]
    result, _ = rewritten(tf.keras.Model(images, heads))
    assert result.get_layer("flat").output_shape == (None, 128)
    assert "QuantDense" not in kinds(result)


def test_several_dense_layers_read_the_same_image():
    images = tf.keras.Input((2, 2, 32))
    flat = layers.Flatten()(images)
    heads = [irnet.layers.QuantDense(3, quantizer="irnet")(flat) for _ in range(2)]
    result, _ = rewritten(tf.keras.Model(images, heads))
    assert sorted(kinds(result)) == ["QuantConv2D"] * 2 + ["Reshape"] * 2


def test_dense_layers_of_sequences_stay():
    layer = irnet.layers.QuantDense(3, quantizer="irnet")
    result, done = rewritten(networks.network_of(layer, (4, 8)))
    assert done == []
    assert kinds(result) == ["QuantDense"]


def test_half_binary_dense_layers_stay():
    layer = irnet.layers.QuantDense(3, quantizer="irnet_w1a32")
    result, done = rewritten(networks.network_of(layer, (8,)))
    assert done == []
    assert kinds(result) == ["QuantDense"]
    assert np.unique(result.layers[-1].kernel).size > 1
