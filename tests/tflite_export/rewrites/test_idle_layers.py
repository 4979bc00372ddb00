"""What does nothing at inference goes."""

import pytest
import tensorflow as tf

from tests.tflite_export.rewrites.comparison import kinds, rewritten
from tflite_export.rewrites import rewrite_layers

layers = tf.keras.layers


def between(layer, **arguments):
    inputs = tf.keras.Input((4, 3))
    x = layer(layers.Dense(3)(inputs), **arguments)
    return tf.keras.Model(inputs, layers.Dense(2)(x))


@pytest.mark.parametrize(
    "layer",
    [
        layers.Dropout(0.5),
        layers.SpatialDropout1D(0.5),
        layers.GaussianNoise(1.0),
        layers.Activation("linear"),
    ],
)
def test_idle_layers_are_removed(layer):
    result, done = rewritten(between(layer))
    assert [one.layer for one in done] == [layer.name]
    assert kinds(result) == ["Dense", "Dense"]


def test_other_layers_stay():
    _, done = rewritten(between(layers.Activation("relu")))
    assert done == []


def test_dropout_that_is_always_on_stays():
    model = between(layers.Dropout(0.5), training=True)
    assert rewrite_layers(model) == (model, [])
