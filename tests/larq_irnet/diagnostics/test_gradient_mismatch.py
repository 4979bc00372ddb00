import larq as lq
import numpy as np
import pytest
import tensorflow as tf

import larq_irnet as irnet
from larq_irnet.diagnostics import (
    BinaryInputs,
    directional_cosine,
    gradient_cosine,
    gradient_cosine_of,
)

X = np.random.default_rng(0).normal(size=(2000, 12)).astype(np.float32)
Y = np.zeros((2000, 1), np.float32)


def output_loss(labels, outputs):
    return outputs - tf.cast(labels, outputs.dtype)


def network(input_quantizer):
    model = tf.keras.Sequential(
        [
            lq.layers.QuantDense(
                1, input_quantizer=input_quantizer, use_bias=False, input_shape=(12,)
            )
        ]
    )
    model.layers[0].set_weights([np.linspace(-1, 1, 12)[:, None]])
    return model


def cosine(input_quantizer, x=X, **options):
    model = network(input_quantizer)
    return gradient_cosine(model, x, Y, loss=output_loss, **options)


class Quantizer(lq.quantizers.NoOp):
    """A sign with a gradient of one's own."""

    def __init__(self, slope):
        super().__init__(precision=1)
        self.slope = slope

    def call(self, inputs):
        @tf.custom_gradient
        def call(x):
            return lq.math.sign(x), lambda dy: dy * self.slope

        return call(inputs)


def test_cosine_of_slopes():
    a = np.array([1.0, 2.0])
    assert directional_cosine(a, 3 * a) == pytest.approx(1)
    assert directional_cosine(a, -a) == pytest.approx(-1)
    assert directional_cosine(a, np.array([-2.0, 1.0])) == pytest.approx(0)
    assert np.isnan(directional_cosine(a, 0 * a))
    assert np.isnan(directional_cosine(a, np.array([1, np.inf])))
    for other in np.ones(3), np.ones(0):
        with pytest.raises(ValueError, match="along the same directions"):
            directional_cosine(other[:0], other)


def test_slopes_along_random_directions_estimate_the_cosine():
    generator = np.random.default_rng(0)
    g, h = generator.normal(size=(2, 500))
    h += g
    expected = g @ h / np.linalg.norm(g) / np.linalg.norm(h)
    found = [
        directional_cosine(g @ u, h @ u)
        for u in generator.normal(size=(200, 500, 16))  # 16 directions each
    ]
    # the mean is off by (1 - c^2) c / (2 K), less than 0.02
    assert np.mean(found) == pytest.approx(expected, abs=0.04)
    assert np.std(found) == pytest.approx((1 - expected**2) / 4, rel=0.2)


@pytest.mark.parametrize("name", ["ste_sign", "approx_sign", "ede_sign"])
def test_surrogates_of_one_linear_layer_point_the_right_way(name):
    # shifts of normal inputs: exact but for the step and 2000 samples
    assert cosine(name) > 0.97


def test_wrong_surrogates():
    assert cosine(Quantizer(-1.0)) < -0.97
    assert np.isnan(cosine(Quantizer(0.0)))
    # every other channel the wrong way
    assert abs(cosine(Quantizer(np.tile([1.0, -1.0], 6)), directions=64)) < 0.45


def test_thresholds_far_away_from_all_inputs():
    assert np.isnan(cosine("ste_sign", np.full_like(X, 0.5)))  # no sign changes


def test_the_finite_difference_is_that_of_the_network():
    """One channel, by hand."""
    x = np.array([[-0.2], [0.1], [0.25], [1.45]], np.float32)  # mean magnitude 0.5
    model = tf.keras.Sequential(
        [lq.layers.QuantDense(1, input_quantizer="ste_sign", input_shape=(1,))]
    )
    model.layers[0].set_weights([np.ones((1, 1)), np.zeros(1)])
    inputs = BinaryInputs(model, output_loss)
    (gradient,), (unit,) = inputs.gradients(x, np.zeros((4, 1), np.float32))
    assert unit == pytest.approx(0.5)
    assert gradient == pytest.approx([0.75])  # three of four within the window
    losses = [
        inputs.loss(x, np.zeros((4, 1), np.float32), [np.array([shift], np.float32)])
        for shift in (0.15, -0.15)
    ]
    assert losses == [0.5, 0.0]


class Counting(tf.keras.layers.Layer):
    """Counts how often the network is run."""

    def build(self, shape):
        self.passes = self.add_weight("passes", dtype=tf.int32, trainable=False)

    def call(self, x):
        self.passes.assign_add(1)
        return tf.identity(x)


def test_passes_through_the_network():
    counting = Counting(input_shape=(12,))
    model = tf.keras.Sequential(
        [counting, irnet.layers.QuantDense(1, quantizer="ste_sign")]
    )
    before = int(counting.passes)
    gradient_cosine(model, X, np.zeros((len(X), 1)), loss=output_loss, directions=4)
    assert int(counting.passes) - before == 1 + 2 * 4


def test_a_normalised_surrogate_is_the_one_of_training():
    x = 10 * X  # outside of the window, but for the normalisation
    assert cosine("normalized_approx_sign", x) > 0.9
    normalized, plain = (
        BinaryInputs(network(name)).snapshot(x)[0].surrogate_share
        for name in ("normalized_approx_sign", "approx_sign")
    )
    assert normalized > 0.6
    assert plain < 0.15


def small_network(shared=False):
    images = tf.keras.Input((6, 6, 2))
    conv = irnet.layers.QuantConv2D(2, 3, quantizer="dirnet", padding="same")
    x = tf.keras.layers.BatchNormalization()(conv(images))
    x = tf.keras.layers.BatchNormalization()(conv(x)) if shared else x
    x = tf.keras.layers.Dropout(0.5)(x)
    x = irnet.layers.QuantDense(3, quantizer="recu")(tf.keras.layers.Flatten()(x))
    return tf.keras.Model(images, tf.keras.layers.Softmax()(x))


@pytest.mark.parametrize("shared", [False, True])
def test_nothing_of_the_model_changes(shared):
    tf.keras.utils.set_random_seed(1)
    model = small_network(shared)
    x = np.random.default_rng(0).normal(size=(8, 6, 6, 2)).astype(np.float32)
    loss = tf.keras.losses.SparseCategoricalCrossentropy()
    before = model.get_weights()
    quantizers = [getattr(layer, "input_quantizer", None) for layer in model.layers]
    inputs = BinaryInputs(model, loss)
    first = gradient_cosine_of(inputs, x, np.arange(8) % 3)
    snapshots = inputs.snapshot(x)
    assert -1 <= first <= 1
    assert gradient_cosine_of(inputs, x, np.arange(8) % 3) == first
    assert gradient_cosine_of(inputs, x, np.arange(8) % 3, seed=1) != first
    for one, other in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    after = [getattr(layer, "input_quantizer", None) for layer in model.layers]
    assert all(one is other for one, other in zip(quantizers, after, strict=True))
    assert [one.positive.shape for one in snapshots] == [(2,), (72,)]


def test_shares_of_activations():
    tf.keras.utils.set_random_seed(1)
    x = np.random.default_rng(0).normal(0.3, size=(64, 6, 6, 2)).astype(np.float32)
    first, _ = BinaryInputs(small_network()).snapshot(x, probes=8)
    # float32 means of 2304 signs
    np.testing.assert_allclose(first.positive, (x >= 0).mean((0, 1, 2)), atol=1e-6)
    assert 0 < first.surrogate_share <= 1


def test_quantizers_are_back_after_an_exception():
    model = network("ste_sign")
    before = model.layers[0].input_quantizer
    with pytest.raises((ValueError, tf.errors.InvalidArgumentError)):
        gradient_cosine(model, X[:, :3], Y, loss=output_loss)
    assert model.layers[0].input_quantizer is before


def test_subclassed_models():
    class Subclassed(tf.keras.Model):
        def __init__(self):
            super().__init__()
            self.binary = lq.layers.QuantDense(1, input_quantizer="ste_sign")

        def call(self, inputs):
            return self.binary(inputs)

    model = Subclassed()
    model(X[:1])
    assert abs(gradient_cosine(model, X, Y, loss=output_loss)) > 0.97


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16", "float64"])
def test_precisions(policy):
    tf.keras.mixed_precision.set_global_policy(policy)
    dtype = "float64" if policy == "float64" else "float32"
    assert cosine("ste_sign", X.astype(dtype)) > 0.9


@pytest.mark.parametrize(
    "options, message",
    [
        ({"directions": 0}, "`directions` to be at least 1, got 0"),
        ({"step": 0.0}, "0 < `step` < infinity, got 0.0"),
    ],
)
def test_invalid_arguments(options, message):
    with pytest.raises(ValueError, match=message):
        cosine("ste_sign", **options)


def test_models_without_binary_inputs():
    model = tf.keras.Sequential(
        [irnet.layers.QuantDense(2, quantizer="irnet_w1a32", input_shape=(3,))]
    )
    with pytest.raises(ValueError, match="with binary inputs of a layer, got 'seq"):
        gradient_cosine(model, X[:, :3], Y, loss=output_loss)
