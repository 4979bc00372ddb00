"""A rewrite that changes what a model computes is found, however deep and binary."""

import numpy as np
import pytest
import tensorflow as tf

import tflite_export
import zoo
from tests.tflite_export import networks
from tests.tflite_export.networks import larq_conv
from tflite_export.rewrite_verification import changed_by_rewrites
from tflite_export.rewrites import Rewrite, rewrite_layers, rewriting
from tflite_export.rewrites.change import Change

layers = tf.keras.layers
DONE = [Rewrite("bn", "some rewrite", "of a test.")]


def images_for(model, count=8):
    generator = np.random.default_rng(0)
    shapes = [(count, *tensor.shape[1:]) for tensor in model.inputs]
    return [generator.normal(size=shape).astype(np.float32) for shape in shapes]


def deep_network(*, blocks=6, size=8):
    images = tf.keras.Input((size, size, 16))
    x = layers.BatchNormalization(name="bn")(images)
    for number in range(blocks):
        y = networks.binary_conv(16, f"conv{number}", pad_values=1.0)(x)
        y = layers.BatchNormalization(name=f"bn{number}")(y)
        x = layers.Add(name=f"sum{number}")([x, y])
    outputs = layers.Conv2D(4, 1, name="head")(x)  # of each pixel
    model = tf.keras.Model(images, [outputs, layers.Softmax(name="last")(outputs)])
    return networks.randomize_batch_norms(model)


def test_the_rewrites_of_a_deep_network_change_nothing():
    model = zoo.ResNet20("irnet", input_shape=(32, 32, 3), alignment="torch")
    model = networks.randomize_batch_norms(model)
    result, done = rewrite_layers(model)
    assert len(done) >= 18
    assert changed_by_rewrites(model, result, done, images_for(model)) == []


def test_rounding_that_flips_signs_is_no_change():
    model = deep_network(size=32)
    other = tf.keras.models.clone_model(model)
    other.set_weights(model.get_weights())
    images = images_for(model)
    normalized = tf.keras.Model(model.input, model.get_layer("bn").output)(images[0])
    gamma, beta, *rest = other.get_layer("bn").get_weights()
    beta += 5e-6 * np.abs(normalized).max()
    other.get_layer("bn").set_weights([gamma, beta, *rest])
    flipped = np.abs(model(images[0])[0] - other(images[0])[0]).max()
    assert flipped > 0.1  # or nothing is tested
    assert changed_by_rewrites(model, other, DONE, images) == []


@pytest.mark.parametrize("number", [0, 3, 5])
def test_one_wrong_channel_is_found(number):
    model = deep_network()
    other = tf.keras.models.clone_model(model)
    other.set_weights(model.get_weights())
    layer = other.get_layer(f"bn{number}")
    gamma, *rest = layer.get_weights()
    gamma[3] = -gamma[3]
    layer.set_weights([gamma, *rest])
    found = changed_by_rewrites(model, other, DONE, images_for(model))
    assert found and found[0].reason.startswith("output 0 is off by")
    assert all("some rewrite (bn)" in one.reason for one in found)


@pytest.mark.parametrize("border", [(1, 0), (0, 1)])
def test_a_wrong_border_is_found(border):
    images = tf.keras.Input((16, 16, 3))
    x = layers.ZeroPadding2D(((1, 1), (1, 1)), name="pad")(images)
    before = tf.keras.Model(images, layers.Conv2D(4, 3, name="conv")(x))
    x = layers.ZeroPadding2D(((1, 1), border[::-1]), name="pad")(images)
    x = layers.ZeroPadding2D(((0, 0), border), name="more")(x)
    x = layers.Conv2D(4, 3, name="conv")(x)
    after = tf.keras.Model(images, x)
    after.set_weights(before.get_weights())
    assert changed_by_rewrites(before, after, [], images_for(before)) == []
    x = layers.Cropping2D(((0, 0), (1, 1)))(images)
    x = layers.ZeroPadding2D(((1, 1), (2, 2)), name="pad")(x)
    cropped = tf.keras.Model(images, layers.Conv2D(4, 3, name="conv")(x))
    cropped.set_weights(before.get_weights())
    assert changed_by_rewrites(before, cropped, DONE, images_for(before))


def test_shared_layers_and_models_within_the_model():
    inner = networks.network_of(layers.Conv2D(3, 3, padding="same", name="conv"))
    images = tf.keras.Input((8, 8, 3))
    size = inner.input_shape[1:]
    fit = layers.Resizing(*size[:2])
    channels = layers.Conv2D(size[-1], 1, name="channels")
    x = inner(channels(fit(images)))
    shared = layers.Conv2D(3, 1, name="shared")
    model = tf.keras.Model(images, layers.Dropout(0.5)(shared(shared(x))))
    quantized = tf.keras.Sequential(
        [model, networks.binary_conv(4, "binary")], name="whole"
    )
    quantized.build((None, 8, 8, 3))
    result, done = rewrite_layers(quantized)
    assert done
    assert changed_by_rewrites(quantized, result, done, images_for(quantized)) == []
    layer = next(one for one in result.layers if one.name.endswith("shared"))
    layer.set_weights([one[..., ::-1] for one in layer.get_weights()])
    assert changed_by_rewrites(quantized, result, done, images_for(quantized))


def test_an_export_stops_at_a_wrong_rewrite(tmp_path, monkeypatch):
    def wrong(graph):
        layer = graph.layers["bn"]
        gamma, *rest = layer.get_weights()
        return [Change("bn", "planted.", {"bn": [2.0 * gamma, *rest]})]

    stages = (*rewriting.STAGES, {"wrong rewrite": wrong})
    monkeypatch.setattr(rewriting, "STAGES", stages)
    images = tf.keras.Input((8, 8, 32))
    x = networks.binary_conv(32, "conv")(images)
    model = tf.keras.Model(images, layers.BatchNormalization(name="bn")(x))
    path = tmp_path / "model.tflite"
    with pytest.raises(tflite_export.ExportError, match="wrong rewrite .bn."):
        tflite_export.export(model, path, benchmark=False)
    assert not path.exists()
    for arguments in ({}, {"calibration_data": images_for(model, 16)[0]}):
        result = tflite_export.export(
            model, path, benchmark=False, strict=False, **arguments
        )
        reasons = [one.reason for one in result.report.findings]
        assert any("output 0 is off by" in reason for reason in reasons)


class Mirrored(tf.keras.layers.ZeroPadding2D):
    def call(self, inputs):
        return tf.pad(inputs, [[0, 0], [1, 1], [1, 1], [0, 0]], mode="REFLECT")


def test_a_derived_layer_is_not_taken_for_what_it_derives_from(tmp_path):
    images = tf.keras.Input((9, 9, 3))
    x = Mirrored(1, name="pad")(images)
    x = layers.Conv2D(32, 3, strides=2, name="stem")(x)
    x = larq_conv("ste_sign")(layers.BatchNormalization()(x))
    model = networks.randomize_batch_norms(tf.keras.Model(images, x, name="m"))
    result = tflite_export.export(model, tmp_path / "model.tflite", benchmark=False)
    assert {one.rewrite for one in result.report.rewrites} == {"folded kernel"}
    ends = result.report.verification.end_to_end
    assert all(one.largest_difference < 1e-3 for one in ends)
