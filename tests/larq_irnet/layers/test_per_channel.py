"""`ChannelScale` and `LearnableBias`: one learned number for each channel."""

import numpy as np
import pytest
import tensorflow as tf

from larq_irnet.layers import ChannelScale, LearnableBias
from larq_irnet.layers.per_channel import PerChannelLayer
from tests.larq_irnet.differentiation import MODES

legacy_format = pytest.mark.filterwarnings(
    "ignore:You are saving your model as an HDF5 file"
)

every_layer = pytest.mark.parametrize("cls", [ChannelScale, LearnableBias])
shapes = pytest.mark.parametrize(
    "shape", [(4, 3), (4, 5, 3), (2, 6, 5, 3), (2, 2, 3, 2, 3), (2, 6, 5, 1)]
)


def _inputs(shape):
    return np.random.default_rng(0).normal(size=shape)


def _with_weight(cls, shape):
    """A layer whose numbers have both signs, and those numbers."""
    layer = cls(dtype="float64")
    layer.build(shape)
    weight = np.linspace(-1.5, 2.0, shape[-1])
    layer.set_weights([weight])
    return layer, weight


@shapes
def test_values(shape):
    x = _inputs(shape)
    scale, alpha = _with_weight(ChannelScale, shape)
    np.testing.assert_array_equal(scale(x), x * alpha)
    shift, beta = _with_weight(LearnableBias, shape)
    np.testing.assert_array_equal(shift(x), x + beta)


@pytest.mark.parametrize("mode", MODES)
@every_layer
def test_gradients(cls, mode):
    shape = (4, 6, 5, 3)
    x, dy = tf.constant(_inputs(shape)), np.random.default_rng(1).normal(size=shape)
    layer, weight = _with_weight(cls, shape)

    @MODES[mode]
    def gradients(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            loss = tf.reduce_sum(layer(x) * dy)
        return tape.gradient(loss, [x, *layer.trainable_weights])

    dx, dweight = gradients(x)
    is_scale = cls is ChannelScale
    np.testing.assert_array_equal(dx, dy * weight if is_scale else dy)
    expected = (dy * x.numpy() if is_scale else dy).sum((0, 1, 2))
    # float64 sums over 120 elements
    np.testing.assert_allclose(dweight, expected, rtol=1e-12, atol=1e-13)


@every_layer
@shapes
def test_the_weight_has_the_shape_of_the_channels(cls, shape):
    layer = cls(name="it")
    outputs = layer(tf.zeros(shape))
    assert outputs.shape == layer.compute_output_shape(shape) == shape
    assert [w.shape for w in layer.trainable_weights] == [shape[-1:]]
    assert layer.non_trainable_weights == []
    name = {ChannelScale: "alpha", LearnableBias: "bias"}[cls]
    assert layer.weights[0] is getattr(layer, name)
    assert layer.weights[0].name == f"it/{name}:0"


def _start(layer, channels=10_000):
    layer.build((None, channels))
    return layer.get_weights()[0]


def test_scales_start_uniform_between_zero_and_one():
    alpha = _start(ChannelScale())
    assert 0.0 <= alpha.min() < 0.01 and 0.99 < alpha.max() < 1.0
    # four standard errors of a mean and of a deviation
    assert alpha.mean() == pytest.approx(0.5, abs=4 / np.sqrt(12 * alpha.size))
    assert alpha.std() == pytest.approx(1 / np.sqrt(12), abs=4 / np.sqrt(180 * 1e4))


def test_shifts_start_at_zero():
    assert not _start(LearnableBias()).any()


def test_layers_do_not_share_a_random_stream():
    one, other = ChannelScale(), ChannelScale()
    assert one.initializer is not other.initializer
    assert (_start(one, 64) != _start(other, 64)).all()
    copy = ChannelScale.from_config(one.get_config())
    assert (_start(copy, 64) != one.get_weights()[0]).all()


@every_layer
def test_own_initializer(cls):
    initializer = tf.keras.initializers.Constant(-0.25)
    np.testing.assert_array_equal(_start(cls(initializer=initializer)), -0.25)


@every_layer
def test_regularizer_and_constraint_are_those_of_the_weight(cls):
    layer = cls(initializer="ones", regularizer="l2", constraint="non_neg")
    model = tf.keras.Sequential([tf.keras.Input((3,)), layer])
    # Keras' l2 is 0.01 times the sum of three squares; float32
    assert float(model.losses[0]) == pytest.approx(0.03, rel=1e-6)
    model.compile(tf.keras.optimizers.SGD(10.0), lambda _, y: tf.reduce_sum(y, -1))
    model.fit(np.ones((4, 3)), np.zeros((4, 3)), verbose=0)
    np.testing.assert_array_equal(layer.get_weights()[0], np.zeros(3))  # cut off


@every_layer
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"initializer": "ones"},
        {"initializer": tf.keras.initializers.RandomNormal(0.5, 0.1, seed=3)},
        {"regularizer": tf.keras.regularizers.L1(0.2), "constraint": "non_neg"},
    ],
)
def test_config_round_trips_exactly(cls, options):
    layer = cls(name="mine", **options)
    config = layer.get_config()
    copy = cls.from_config(config)
    assert copy.get_config() == config
    for attribute in ("initializer", "regularizer", "constraint"):
        one, other = getattr(layer, attribute), getattr(copy, attribute)
        assert type(one) is type(other)
    # alike as well if the seed is given
    if options.get("initializer") is not None:
        np.testing.assert_array_equal(_start(copy, 4), _start(layer, 4))


@every_layer
@pytest.mark.parametrize("shape", [(None, 4, None), None])
def test_unknown_channels_are_refused(cls, shape):
    with pytest.raises(ValueError, match="Expected a known number of channels, got"):
        cls().build(tf.TensorShape(shape))


@every_layer
def test_sizes_of_images_may_be_unknown(cls):
    model = tf.keras.Sequential([tf.keras.Input((None, None, 3)), cls()])
    assert model.output_shape == (None, None, None, 3)
    for size in (4, 7):
        assert model(tf.zeros((1, size, 5, 3))).shape == (1, size, 5, 3)


def test_the_base_class_is_abstract():
    with pytest.raises(TypeError, match="abstract"):
        PerChannelLayer()


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
@every_layer
def test_mixed_precision_keeps_float32_weights(cls, policy):
    tf.keras.mixed_precision.set_global_policy(policy)
    layer = cls()
    assert layer(tf.zeros((1, 3))).dtype == policy.removeprefix("mixed_")
    assert layer.weights[0].dtype == tf.float32


@legacy_format
@pytest.mark.parametrize("name", ["model.h5", "saved_model", "model.keras"])
def test_saved_models_give_equal_outputs(name, tmp_path):
    layers = [
        LearnableBias(initializer="random_normal"),
        ChannelScale(regularizer="l2"),
    ]
    model = tf.keras.Sequential([tf.keras.Input((5, 3)), *layers])
    model.save(tmp_path / name)
    loaded = tf.keras.models.load_model(tmp_path / name)
    x = _inputs((2, 5, 3)).astype("float32")
    np.testing.assert_array_equal(loaded(x), model(x))
    assert [type(layer) for layer in loaded.layers] == [LearnableBias, ChannelScale]
    assert loaded.layers[1].regularizer is not None
