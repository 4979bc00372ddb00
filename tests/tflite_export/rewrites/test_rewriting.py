"""All rewrites together: what they leave alone, what they say, and in which models."""

import numpy as np
import pytest
import tensorflow as tf

import larq_irnet as irnet
from tests.tflite_export import networks
from tests.tflite_export.rewrites.comparison import kinds, rewritten
from tflite_export.rewrites import Rewrite, rewrite_layers
from tflite_export.rewrites.rewriting import STAGES

layers = tf.keras.layers


def test_a_model_without_binary_layers_is_given_back():
    model = networks.network_of(layers.Conv2D(4, 3))
    assert rewrite_layers(model) == (model, [])


def test_everything_that_was_done_is_told_in_order():
    images = tf.keras.Input((4, 4, 32))
    x = layers.MaxPooling2D()(networks.binary_conv(32, "conv")(images))
    x = layers.BatchNormalization(name="bn")(x)
    x = layers.Flatten()(layers.Activation("hard_tanh", name="act")(x))
    x = irnet.layers.QuantDense(4, quantizer="recu", name="dense")(x)
    _, done = rewrite_layers(tf.keras.Model(images, x))
    assert [(one.layer, one.rewrite) for one in done] == [
        ("conv", "folded kernel"),
        ("dense", "folded kernel"),
        ("dense", "dense as convolution"),
        ("act", "activation before sign"),
        ("bn", "normalisation before pooling"),
    ]
    assert all(isinstance(one, Rewrite) and one.reason.endswith(".") for one in done)


def test_names_of_rewrites_are_told_apart():
    names = [name for stage in STAGES for name in stage]
    assert len({*names}) == len(names)


def test_the_model_itself_is_not_touched():
    model = networks.network_of(networks.binary_conv(4, "conv"))
    before = model.get_config(), model.get_weights()
    result, _ = rewrite_layers(model)
    assert not {id(w) for w in model.weights} & {id(w) for w in result.weights}
    assert model.get_config() == before[0]
    for one, other in zip(model.get_weights(), before[1], strict=True):
        np.testing.assert_array_equal(one, other)


def test_layers_of_models_within_the_model_are_rewritten():
    images = tf.keras.Input((8, 8, 4))
    inner = tf.keras.Sequential(
        [
            tf.keras.Input((8, 8, 4)),
            networks.binary_conv(8, "inner"),
            layers.MaxPooling2D(),
            layers.BatchNormalization(name="bn"),
        ]
    )
    x = layers.Flatten()(layers.BatchNormalization(name="bn")(inner(images)))
    x = irnet.layers.QuantDense(8, quantizer="irnet", name="binary")(x)
    result, done = rewritten(tf.keras.Model(images, x))
    assert [one.layer for one in done] == ["binary"]
    assert "Sequential" not in kinds(result)


@pytest.mark.parametrize("place", ["before", "behind"])
def test_layers_that_are_called_several_times_stay(place):
    shared = irnet.layers.QuantDense(4, quantizer="irnet", name="shared")
    other = irnet.layers.QuantDense(4, quantizer="irnet", name="other")
    inputs = tf.keras.Input((4,))
    outputs = (
        other(shared(shared(inputs)))
        if place == "before"
        else shared(shared(other(inputs)))
    )
    result, done = rewritten(tf.keras.Model(inputs, outputs))
    assert [one.layer for one in done] == ["other"]
    assert type(result.get_layer("shared")) is irnet.layers.QuantDense


def test_models_that_are_called_several_times_stay():
    inner = networks.network_of(irnet.layers.QuantDense(4, quantizer="irnet"), (4,))
    inputs = tf.keras.Input((4,))
    hard_tanh = layers.Activation("hard_tanh")
    result, done = rewritten(tf.keras.Model(inputs, inner(hard_tanh(inner(inputs)))))
    assert done == []
    assert kinds(result) == ["Functional", "Activation"]


def test_layers_that_other_models_call_with_other_sizes():
    pad = layers.ZeroPadding2D(3)
    stem = layers.Conv2D(4, 7, strides=2, name="stem")
    small, large = (tf.keras.Input((size, size, 3)) for size in (15, 16))
    tf.keras.Model(small, stem(pad(small)))
    result, done = rewritten(tf.keras.Model(large, stem(pad(large))))
    assert [one.layer for one in done] == ["stem"]
    assert result.get_layer("stem").kernel_size == (8, 8)
