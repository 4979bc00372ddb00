"""The class: normalised in training, plain ApproxSign in inference, one bit always."""

import json

import larq as lq
import numpy as np
import pytest
import tensorflow as tf

import larq_irnet as irnet
from larq_irnet.quantizers import NormalizedApproxSign
from tests.larq_irnet import recu_oracle
from tests.larq_irnet.differentiation import MODES

legacy_format = pytest.mark.filterwarnings(
    "ignore:You are saving your model as an HDF5 file"
)

# the deviation is far from one: the two gradients differ everywhere
X = np.random.default_rng(0).normal(0.1, 0.3, (5, 6)).astype("float32")
KERNEL = np.random.default_rng(1).choice([-1.0, 1.0], (6, 2)).astype("float32")
DY = KERNEL.sum(1) + np.zeros_like(X)  # of the sum of all outputs


def _functional():
    layer = lq.layers.QuantDense(
        2, input_quantizer="normalized_approx_sign", use_bias=False
    )
    inputs = tf.keras.Input((6,))
    model = tf.keras.Model(inputs, layer(inputs))
    model.set_weights([KERNEL])
    return model


def _nested():
    inputs = tf.keras.Input((6,))
    return tf.keras.Sequential([tf.keras.Model(inputs, _functional()(inputs))])


class _Subclassed(tf.keras.Model):
    def __init__(self):
        super().__init__()
        self.inner = _functional()

    def call(self, inputs):
        return self.inner(inputs)


def _activation_layer():
    """The quantizer by itself, in front of a dense layer."""
    inputs = tf.keras.Input((6,))
    x = NormalizedApproxSign()(inputs)
    model = tf.keras.Model(inputs, tf.keras.layers.Dense(2, use_bias=False)(x))
    model.set_weights([KERNEL])
    return model


NETWORKS = [_functional, _nested, _Subclassed, _activation_layer]
networks = pytest.mark.parametrize("make", NETWORKS)
modes = pytest.mark.parametrize("mode", MODES)


def _gradient(model, training, mode="eager", x=X):
    @MODES[mode]
    def call(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = model(x, training=training)
        return tape.gradient(y, x)

    return call(tf.constant(x)).numpy()


def _expected(training, x=X):
    x = np.float64(x)
    if training:
        return recu_oracle.normalized_approx_sign_gradient(x, DY)
    return DY * recu_oracle.approx_sign_slope(x)


def _assert_gradient(actual, training):
    # sums over six elements and slopes up to four, in float32
    np.testing.assert_allclose(actual, _expected(training), rtol=0, atol=1e-5)


def test_the_two_gradients_differ():
    assert np.abs(_expected(True) - _expected(False)).max() > 1.0


@modes
@networks
@pytest.mark.parametrize("training", [True, False, None])
def test_only_training_normalises(training, make, mode):
    _assert_gradient(_gradient(make(), training, mode), training)


@modes
@pytest.mark.parametrize("training", [True, False])
def test_training_may_be_a_tensor(training, mode):
    _assert_gradient(_gradient(_nested(), tf.constant(training), mode), training)


@pytest.mark.parametrize("mode", ["graph", "jit"])
def test_training_may_be_an_argument_of_a_traced_function(mode):
    model = _functional()

    @MODES[mode]
    def gradient(x, training):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = model(x, training=training)
        return tape.gradient(y, x)

    for training in (True, False):
        actual = gradient(tf.constant(X), tf.constant(training))
        _assert_gradient(actual, training)


@networks
@pytest.mark.parametrize("training", [True, False])
def test_values_are_signs_all_the_same(training, make):
    expected = recu_oracle.sign(X) @ KERNEL  # sums of six ones, exact
    np.testing.assert_array_equal(make()(X, training=training), expected)


@pytest.mark.parametrize(
    "options", [{"run_eagerly": True}, {}, {"jit_compile": True}], ids=str
)
@networks
def test_fit_trains_with_the_normalised_gradient(make, options):
    # a shift in front takes the sum of the gradients, once
    shift = irnet.layers.LearnableBias()
    network = make()
    network.trainable = False
    model = tf.keras.Sequential([tf.keras.Input((6,)), shift, network])
    model.compile(
        tf.keras.optimizers.SGD(1.0), lambda _, y: tf.reduce_sum(y, -1), **options
    )
    model.fit(X, np.zeros((5, 2)), batch_size=5, verbose=0)
    # Keras takes the mean over the batch; float32
    expected = -_expected(True).mean(0)
    np.testing.assert_allclose(shift.get_weights()[0], expected, atol=1e-5)


@pytest.mark.parametrize(
    ("policy", "dtype"), [("mixed_float16", "float16"), ("mixed_bfloat16", "bfloat16")]
)
@pytest.mark.parametrize("training", [True, False])
def test_mixed_precision(training, policy, dtype):
    tf.keras.mixed_precision.set_global_policy(policy)
    x = tf.cast(X, dtype)  # what the quantizer sees
    actual = np.float64(_gradient(_functional(), training, x=x))
    expected = _expected(training, np.float64(x))
    # the slope of ApproxSign is computed in half precision; bfloat16 has 8 bits
    tolerance = {"float16": 1e-2, "bfloat16": 8e-2}[dtype]
    np.testing.assert_allclose(actual, expected, rtol=0, atol=tolerance)


def test_it_is_one_bit_and_has_no_weights():
    model = _functional()
    quantizer = model.layers[-1].input_quantizer
    assert type(quantizer) is NormalizedApproxSign
    assert quantizer.precision == 1
    assert quantizer.weights == quantizer.variables == []
    assert irnet.callbacks.scheduled_quantizers(model) == []


def _twins(method):
    tf.keras.backend.clear_session()
    return tf.keras.Sequential(
        [
            tf.keras.Input((8, 8, 3)),
            irnet.layers.QuantConv2D(4, 3, quantizer=method, use_bias=False),
            tf.keras.layers.Flatten(),
            irnet.layers.QuantDense(5, quantizer=method),
        ]
    )


def test_a_layer_weighs_what_it_weighs_with_ste_sign():
    model, twin = _twins("recu"), _twins("ste_sign")
    assert [w.name for w in model.weights] == [w.name for w in twin.weights]
    assert [w.shape for w in model.get_weights()] == [
        w.shape for w in twin.get_weights()
    ]
    ours, theirs = lq.models.ModelProfile(model), lq.models.ModelProfile(twin)
    for bits in (1, 32):
        assert ours.weight_count(bits) == theirs.weight_count(bits) > 0
    assert ours.op_count("mac", 1) == theirs.op_count("mac", 1) > 0
    assert ours.memory == theirs.memory


@pytest.mark.parametrize("alias", ["normalized_approx_sign", "NormalizedApproxSign"])
def test_alias_makes_a_fresh_quantizer(alias):
    first, second = lq.quantizers.get(alias), lq.quantizers.get(alias)
    assert type(first) is type(second) is NormalizedApproxSign
    assert first is not second


def test_config_round_trips_exactly():
    quantizer = NormalizedApproxSign(metrics=["flip_ratio"], name="mine")
    config = quantizer.get_config()
    assert "precision" not in config
    assert NormalizedApproxSign.from_config(config).get_config() == config
    serialized = lq.quantizers.serialize(quantizer)
    assert lq.quantizers.serialize(lq.quantizers.get(serialized)) == serialized


def test_flip_ratio_counts_flipped_activations():
    quantizer = NormalizedApproxSign(metrics=["flip_ratio"])
    for signs in ([1.0, 1.0, 1.0, 1.0], [1.0, -1.0, 1.0, 1.0], [1.0, 1.0, -1.0, 1.0]):
        quantizer(tf.constant([signs]) * 0.3, training=True)
    # one and then two of four flip
    assert quantizer.flip_ratio.result().numpy() == pytest.approx((1 / 4 + 2 / 4) / 2)


def test_no_metric_unless_asked_for():
    quantizer = NormalizedApproxSign()
    quantizer(X, training=True)
    assert not hasattr(quantizer, "flip_ratio")


@legacy_format
@pytest.mark.parametrize("name", ["model.h5", "saved_model", "model.keras"])
def test_saved_model_trains_as_before(name, tmp_path):
    model = _twins("recu")
    model.save(tmp_path / name)
    loaded = tf.keras.models.load_model(tmp_path / name)
    configs = [
        [json.dumps(layer.get_config(), default=str) for layer in one.layers]
        for one in (model, loaded)
    ]
    assert configs[0] == configs[1]
    x = np.random.default_rng(0).normal(0, 0.3, (3, 8, 8, 3)).astype("float32")
    for training in (True, False):
        # the same operations on the same weights; only sums may change their order
        np.testing.assert_allclose(
            loaded(x, training=training), model(x, training=training), atol=1e-5
        )
        np.testing.assert_allclose(
            _gradient(loaded, training, x=x), _gradient(model, training, x=x), atol=1e-4
        )
    gradients = [_gradient(loaded, training, x=x) for training in (True, False)]
    assert np.abs(gradients[0] - gradients[1]).max() > 0.1
