"""Factors and shifts of several axes get a shape that the runtime takes."""

import numpy as np
import pytest
import tensorflow as tf

import larq_irnet as irnet
from tests.tflite_export import networks
from tests.tflite_export.rewrites.comparison import kinds, rewritten
from tflite_export.rewrites import rewrite_layers

layers = tf.keras.layers


class Affine(tf.keras.layers.Layer):
    """What users write for a scale or a shift."""

    def __init__(self, kind, shape, **kwargs):
        super().__init__(**kwargs)
        self.kind, self.shape = kind, shape

    def build(self, input_shape):
        initializer = tf.keras.initializers.RandomUniform(0.5, 1.5, seed=0)
        self.a = self.add_weight(name="a", shape=self.shape, initializer=initializer)

    def call(self, x):
        return {
            "times": lambda: x * self.a,
            "over": lambda: x / self.a,
            "plus": lambda: x + self.a,
            "minus": lambda: x - self.a,
            "from": lambda: self.a - x,
            "times plus": lambda: x * self.a + 2.0 * self.a,
            "relu": lambda: tf.nn.relu(x * self.a),
            "square": lambda: x * x * self.a,
        }[self.kind]()

    def get_config(self):
        return {**super().get_config(), "kind": self.kind, "shape": self.shape}


def behind_convolution(*following):
    images = tf.keras.Input((6, 5, 4))
    x = networks.binary_conv(8, "conv")(images)
    for layer in following:
        x = layer(x)
    return tf.keras.Model(images, x)


@pytest.mark.parametrize(
    "kind, shape, expected",
    [
        ("times", (1, 1, 1, 8), ["ChannelScale"]),
        ("times", (1, 8), ["ChannelScale"]),
        ("over", (1, 1, 1), ["ChannelScale"]),
        ("plus", (1, 1, 8), ["LearnableBias"]),
        ("minus", (1, 1, 1, 1), ["LearnableBias"]),
        ("from", (1, 1, 1, 8), ["ChannelScale", "LearnableBias"]),
        ("times plus", (1, 1, 1, 8), ["ChannelScale", "LearnableBias"]),
    ],
)
def test_channels_get_numbers(kind, shape, expected):
    norm = layers.BatchNormalization()
    result, done = rewritten(behind_convolution(norm, Affine(kind, shape, name="a")))
    assert [(one.layer, one.rewrite) for one in done] == [("a", "factor of channels")]
    assert kinds(result)[2:] == expected


def test_constants_are_looked_at():
    constant = np.linspace(0.5, 1.5, 8, dtype=np.float32).reshape(1, 1, 1, 8)
    result, _ = rewritten(behind_convolution(lambda x: x * constant))
    np.testing.assert_array_equal(result.layers[-1].alpha, constant.ravel())


@pytest.mark.parametrize("shape", [(1, 6, 1, 1), (6, 5, 1), (1, 6, 5, 8), (5, 8)])
def test_positions_are_kept_apart(shape):
    result, done = rewritten(behind_convolution(Affine("times", shape, name="a")))
    assert [one.layer for one in done] == ["a"]
    assert kinds(result) == ["QuantConv2D", "MaxPooling2D", "Affine"]


@pytest.mark.parametrize(
    "layer",
    [
        Affine("times", (8,)),
        Affine("plus", ()),
        Affine("relu", (1, 1, 1, 8)),  # the activation is no constant
        Affine("square", (1, 1, 1, 8)),
        layers.PReLU(shared_axes=[1, 2]),
    ],
    ids=["vector", "number", "relu", "square", "PReLU"],
)
def test_other_layers_stay(layer):
    _, done = rewritten(behind_convolution(layer))
    assert done == []


def test_float_convolutions_take_any_shape():
    images = tf.keras.Input((6, 5, 4))
    x = Affine("times", (1, 1, 1, 8))(layers.Conv2D(8, 3)(images))
    _, done = rewritten(tf.keras.Model(images, x))
    assert done == []


def test_sequences_have_channels_too():
    inputs = tf.keras.Input((6, 4))
    x = irnet.layers.QuantConv1D(8, 3, quantizer="irnet")(inputs)
    x = Affine("times", (1, 1, 8), name="a")(x)
    x = Affine("plus", (4, 1), name="b")(x)
    result, done = rewritten(tf.keras.Model(inputs, x))
    assert [one.layer for one in done[1:]] == ["a", "b"]
    assert kinds(result)[-3:] == ["ChannelScale", "MaxPooling1D", "Affine"]


def test_looking_at_layers_does_not_call_them_in_the_model():
    model = behind_convolution(layers.Activation("relu"), Affine("square", (8,)))
    result, _ = rewrite_layers(model)
    assert all(len(layer.inbound_nodes) == 1 for layer in result.layers)
