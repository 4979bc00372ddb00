"""Information recovery, added to networks of one's own."""

import numpy as np
import pytest
import tensorflow as tf

import larq_irnet as irnet
from larq_irnet.recovery import add_recovery, pooled_taps

IMAGES = np.float32(np.random.default_rng(0).normal(size=(4, 12, 8, 3)))


def network(**options):
    """Three stages, the second of them binary, and a shortcut around the third."""
    layers = tf.keras.layers
    images = tf.keras.Input((12, 8, 3), name="images")
    x = layers.Conv2D(4, 3, padding="same", name="first")(images)
    x = irnet.layers.QuantConv2D(
        6, 3, quantizer="irnet", strides=2, padding="same", name="second"
    )(layers.BatchNormalization(name="first_bn")(x))
    y = layers.Conv2D(6, 3, padding="same", name="inner", **options)(x)
    x = layers.Add(name="third")([x, y])
    x = layers.GlobalAveragePooling2D(name="pool")(x * 0.5 + 1.0)
    return tf.keras.Model(images, layers.Dense(5, name="logits")(x), name="mine")


def pooled(x, rows, columns):
    n, height, width, channels = x.shape
    shape = (n, height // rows, rows, width // columns, columns, channels)
    return np.reshape(x, shape).mean((2, 4))


def test_taps_are_pooled_and_put_behind_each_other():
    first = tf.keras.Input((12, 8, 2))
    second = tf.keras.Input((6, 8, 3))
    last = tf.keras.Input((3, 4, 1))
    model = tf.keras.Model([first, second, last], pooled_taps([first, second, last]))
    generator = np.random.default_rng(0)
    shapes = (2, 12, 8, 2), (2, 6, 8, 3), (2, 3, 4, 1)
    inputs = [np.float32(generator.normal(size=shape)) for shape in shapes]
    expected = [pooled(inputs[0], 4, 2), pooled(inputs[1], 2, 2), inputs[2]]
    np.testing.assert_allclose(
        model(inputs), np.concatenate(expected, -1), rtol=1e-5, atol=1e-6
    )


def outputs_of(model, *names):
    return tf.keras.Model(model.input, [model.get_layer(n).output for n in names])


def test_what_read_the_last_tap_reads_the_fusion():
    model = network()
    recovered = add_recovery(model, ["first", "second", "third"], ratio=2)
    assert recovered.name == "mine"
    assert recovered.output_shape == model.output_shape
    fusion = recovered.get_layer("fusion")
    taps = outputs_of(recovered, "first", "second", "third", "fusion", "pool")(IMAGES)
    first, second, third, fused, mean = (tap.numpy() for tap in taps)
    together = np.concatenate([pooled(first, 2, 2), second, third], -1)
    np.testing.assert_allclose(fused, fusion(together), rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(mean, (fused * 0.5 + 1.0).mean((1, 2)), rtol=1e-5)


def test_weights_are_copied_and_not_shared():
    model = network()
    before = outputs_of(model, "third")(IMAGES)
    recovered = add_recovery(model, ["first", "third"], ratio=3)
    np.testing.assert_array_equal(outputs_of(recovered, "third")(IMAGES), before)
    names = {layer.name for layer in model.layers}
    assert names < {layer.name for layer in recovered.layers}
    theirs = {id(weight) for weight in model.weights}
    assert not theirs & {id(weight) for weight in recovered.weights}
    kernel = recovered.get_layer("second").kernel
    kernel.assign(tf.zeros_like(kernel))
    np.testing.assert_array_equal(outputs_of(model, "third")(IMAGES), before)
    np.testing.assert_array_equal(model(IMAGES), network_again(model)(IMAGES))


def network_again(model):
    again = network()
    again.set_weights(model.get_weights())
    return again


def test_it_trains_and_round_trips(tmp_path):
    recovered = add_recovery(
        network(), ["first", "third"], ratio=2, activation="prelu", momentum=0.5
    )
    loss = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    recovered.compile(tf.keras.optimizers.Adam(0.01), loss)
    before = recovered.get_weights()
    recovered.fit(IMAGES, np.arange(4), epochs=2, verbose=0)
    assert all((a != b).any() for a, b in zip(before, recovered.get_weights()))
    recovered.save(tmp_path / "model.keras")
    loaded = tf.keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded(IMAGES), recovered(IMAGES))
    assert loaded.get_layer("fusion").activation == "prelu"


def test_inside_a_quantized_scope_latent_weights_are_copied():
    model = network()
    with irnet.quantized_scope.quantized_scope(True):
        recovered = add_recovery(model, ["first", "third"], ratio=2)
    ours, theirs = (m.get_layer("second").get_weights()[0] for m in (recovered, model))
    np.testing.assert_array_equal(ours, theirs)
    assert len(np.unique(np.abs(ours))) > 2


def test_a_sequential_model_whose_output_is_the_last_tap():
    model = tf.keras.Sequential(
        [
            tf.keras.Input((8, 8, 3)),
            tf.keras.layers.Conv2D(4, 3, padding="same", name="shallow"),
            tf.keras.layers.MaxPooling2D(name="deep"),
        ]
    )
    recovered = add_recovery(model, ["shallow", "deep"], ratio=2, name="cirec")
    assert recovered.get_layer("cirec").output is recovered.output
    assert recovered.output_shape == (None, 4, 4, 4)


def test_together_with_restriction():
    recovered = add_recovery(network(), ["first", "third"], ratio=2)
    model = irnet.restriction.RestrictedTraining(recovered, "third")
    loss = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("sgd", loss)
    history = model.fit(IMAGES, np.arange(4), verbose=0).history
    assert np.isfinite(history["loss"]).all()


def odd():
    images = tf.keras.Input((9, 8, 3))
    x = tf.keras.layers.Conv2D(4, 3, padding="same", name="first")(images)
    x = tf.keras.layers.Conv2D(4, 3, 2, padding="same", name="third")(x)
    return tf.keras.Model(images, x)


def unknown_size():
    images = tf.keras.Input((None, None, 3))
    x = tf.keras.layers.Conv2D(4, 3, padding="same", name="first")(images)
    x = tf.keras.layers.Conv2D(4, 3, 2, padding="same", name="third")(x)
    return tf.keras.Model(images, x)


def shared():
    images = tf.keras.Input((8, 8, 3))
    conv = tf.keras.layers.Conv2D(3, 3, padding="same", name="first")
    x = tf.keras.layers.Conv2D(4, 3, 2, padding="same", name="third")(
        conv(conv(images))
    )
    return tf.keras.Model(images, x)


class Subclassed(tf.keras.Model):
    def call(self, inputs):
        return inputs


@pytest.mark.parametrize(
    "build, taps, options, message",
    [
        (network, ["first", "tird"], {}, r"layers of 'mine', got \['tird'\]. It has"),
        (network, ["third"], {}, "at least two taps, got 1"),
        (network, ["third", "third"], {}, r"tap once, got \['third'\] several times"),
        (network, ["third", "first"], {}, "'third.*' to be multiples .* 12x8, .* 6x4"),
        (network, ["first", "logits"], {}, r"\[N, H, W, C\] .*'logits.*\(None, 5\)"),
        (odd, ["first", "third"], {}, "multiples of those of the last, 5x4, .*got 9x8"),
        (unknown_size, ["first", "third"], {}, "of a known size, got 'first"),
        (shared, ["first", "third"], {}, r"used once as taps, got \['first'\]"),
        (Subclassed, ["first", "third"], {}, "sequential Keras model, got Subclassed"),
        (network, ["first", "third"], {"name": "pool"}, "no layer of 'mine' has, got"),
        (network, ["first", "third"], {"ratio": 7}, "`ratio` to be at most the 6"),
        (network, ["first", "third"], {"groups": 2}, "`groups` to be None or a diviso"),
    ],
)
def test_errors(build, taps, options, message):
    with pytest.raises(ValueError, match=message):
        add_recovery(build(), taps, **{"ratio": 2, **options})
