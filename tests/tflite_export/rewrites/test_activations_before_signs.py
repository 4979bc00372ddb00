"""Activations that a sign does not see are taken out, no others."""

import larq as lq
import pytest
import tensorflow as tf

from tests.tflite_export import networks
from tests.tflite_export.rewrites.comparison import kinds, rewritten

layers = tf.keras.layers


def before_sign(*between, quantizer="ede_sign"):
    images = tf.keras.Input((6, 6, 4))
    x = layers.BatchNormalization()(images)
    for layer in between:
        x = layer(x)
    conv = networks.binary_conv(4, "conv", input_quantizer=quantizer)
    return tf.keras.Model(images, conv(x))


KEEPING = {
    "hard tanh": layers.Activation("hard_tanh", name="act"),
    "tanh": layers.Activation("tanh", name="act"),
    "leaky tanh": layers.Activation("leaky_tanh", name="act"),
    "leaky ReLU": layers.LeakyReLU(0.1, name="act"),
    "PReLU": layers.PReLU(alpha_initializer="ones", name="act"),
    "sign": lq.quantizers.SteSign(name="act"),
}


@pytest.mark.parametrize("activation", KEEPING)
def test_activations_that_keep_signs_are_removed(activation):
    result, done = rewritten(before_sign(KEEPING[activation]))
    assert [(one.layer, one.rewrite) for one in done] == [
        ("act", "activation before sign")
    ]
    assert kinds(result) == ["BatchNormalization", "QuantConv2D"]


def test_the_activation_of_a_recurrent_layer_is_part_of_its_state():
    sequences = tf.keras.Input((6, 4))
    x = layers.GRU(4, activation="tanh", return_sequences=True, name="gru")(sequences)
    x = layers.Reshape((6, 1, 4))(x)
    conv = networks.binary_conv(4, "conv", input_quantizer="ede_sign")
    _, done = rewritten(tf.keras.Model(sequences, conv(x)))
    assert "activation before sign" not in {one.rewrite for one in done}


def test_clips_around_zero_are_removed():
    result, _ = rewritten(before_sign(lambda x: tf.clip_by_value(x, -0.5, 2.0)))
    assert kinds(result) == ["BatchNormalization", "QuantConv2D"]


OTHER = {
    "ReLU": layers.Activation("relu"),
    "flat leaky ReLU": layers.LeakyReLU(0.0),
    "falling PReLU": layers.PReLU(
        alpha_initializer=tf.keras.initializers.Constant(-1.0)
    ),
    "ternary": lq.quantizers.SteTern(),
}


@pytest.mark.parametrize("activation", OTHER)
def test_activations_that_change_signs_stay(activation):
    result, done = rewritten(before_sign(OTHER[activation]))
    assert done == []
    assert len(kinds(result)) == 3


@pytest.mark.parametrize("limits", [(0.0, 1.0), (0.5, 1.0)])
def test_other_clips_stay(limits):
    _, done = rewritten(before_sign(lambda x: tf.clip_by_value(x, *limits)))
    assert done == []


@pytest.mark.parametrize("quantizer", [networks.shifted_sign, "ste_tern", None])
def test_other_quantizers_see_the_activation(quantizer):
    hard_tanh = layers.Activation("hard_tanh")
    _, done = rewritten(before_sign(hard_tanh, quantizer=quantizer))
    assert done == []


@pytest.mark.parametrize(
    "between, is_transparent",
    [
        (layers.MaxPooling2D(), True),
        (layers.ZeroPadding2D(2), True),
        (layers.Permute((2, 1, 3)), True),
        (layers.AveragePooling2D(), False),
        (layers.BatchNormalization(name="between"), False),
    ],
    ids=lambda value: type(value).__name__,
)
def test_layers_between_activation_and_sign(between, is_transparent):
    model = before_sign(layers.Activation("hard_tanh", name="act"), between)
    _, done = rewritten(model)
    removed = [one.layer for one in done if one.rewrite == "activation before sign"]
    assert removed == ["act"] * is_transparent


def test_activations_within_layers_are_removed():
    images = tf.keras.Input((6, 6, 4))
    x = networks.binary_conv(4, "one", activation="hard_tanh")(images)
    x = layers.Conv2D(4, 3, activation="relu", name="float")(x)
    x = networks.binary_conv(4, "two", activation="hard_tanh")(x)
    x = networks.binary_conv(4, "three", activation="hard_tanh")(x)
    result, done = rewritten(tf.keras.Model(images, x))
    assert [one.layer for one in done] == ["two"]
    activations = {
        name: result.get_layer(name).activation.__name__
        for name in ("one", "float", "two", "three")
    }
    assert activations == {
        "one": "hard_tanh",  # a float convolution reads it
        "float": "relu",
        "two": "linear",
        "three": "hard_tanh",  # the output of the model
    }


def test_activations_with_a_shortcut_stay():
    images = tf.keras.Input((6, 6, 4))
    x = layers.Activation("hard_tanh")(images)
    x = layers.Add()([x, networks.binary_conv(4, "conv")(x)])
    _, done = rewritten(tf.keras.Model(images, x))
    assert done == []


def test_every_part_of_a_concatenation_is_looked_at():
    images = tf.keras.Input((6, 6, 4))
    parts = [layers.Activation("hard_tanh", name=name)(images) for name in "ab"]
    x = networks.binary_conv(4, "conv")(layers.Concatenate()(parts))
    result, done = rewritten(tf.keras.Model(images, [x, parts[1]]))
    assert [one.layer for one in done] == ["a"]
