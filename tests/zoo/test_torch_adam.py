"""Against `torch.optim.Adam`, step by step."""

import numpy as np
import pytest
import tensorflow as tf
import torch

from zoo.learning_rate import LearningRate
from zoo.torch_adam import TorchAdam

STEPS = 12
SETTINGS = [
    {},
    {"weight_decay": 1e-2},
    {"epsilon": 1e-3, "weight_decay": 1e-2},
    {"beta_1": 0.5, "beta_2": 0.9},
]
THEIRS = {"epsilon": "eps"}


@pytest.fixture
def float64():
    """Learning rates have the type of Keras' `floatx`."""
    tf.keras.backend.set_floatx("float64")
    yield
    tf.keras.backend.set_floatx("float32")


def gradients():
    """Of sizes from 1 down to where epsilon counts."""
    generator = np.random.default_rng(0)
    sizes = np.logspace(0, -9, 12).reshape(3, 4)
    return generator.normal(size=(STEPS, 3, 4)) * sizes


def schedule():
    return LearningRate(0.5, "cosine", epochs=STEPS, steps_per_epoch=1)


def torch_weights(settings, rates):
    settings = dict(settings)
    betas = settings.pop("beta_1", 0.9), settings.pop("beta_2", 0.999)
    theirs = {THEIRS.get(name, name): value for name, value in settings.items()}
    weight = torch.nn.Parameter(torch.ones(3, 4, dtype=torch.float64))
    optimizer = torch.optim.Adam([weight], lr=1.0, betas=betas, **theirs)
    for rate, gradient in zip(rates, gradients()):
        optimizer.param_groups[0]["lr"] = rate
        weight.grad = torch.tensor(gradient)
        optimizer.step()
        yield weight.detach().numpy().copy()


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
@pytest.mark.parametrize("in_graph", [False, True])
def test_the_weights_of_torch(settings, in_graph, float64):
    weight = tf.Variable(np.ones((3, 4)))
    optimizer = TorchAdam(schedule(), **settings)
    optimizer.build([weight])

    def step(gradient):
        optimizer.apply_gradients([(gradient, weight)])

    step = tf.function(step, reduce_retracing=True) if in_graph else step
    rates = [float(schedule()(number)) for number in range(STEPS)]
    for gradient, expected in zip(gradients(), torch_weights(settings, rates)):
        step(tf.constant(gradient))
        # float64; products and quotients in another order
        np.testing.assert_allclose(weight.numpy(), expected, rtol=1e-11, atol=1e-11)


def test_keras_own_adam_takes_other_steps():
    """By its epsilon, where gradients are small: why there is this one."""
    ours, keras = tf.Variable([1.0]), tf.Variable([1.0])
    gradient = tf.constant([1e-8])
    TorchAdam(0.1).apply_gradients([(gradient, ours)])
    tf.keras.optimizers.Adam(0.1).apply_gradients([(gradient, keras)])
    assert 1.0 - ours.numpy() > 10 * (1.0 - keras.numpy())


def test_decay_of_some_weights():
    names = "stem_conv/kernel", "stem_bn/gamma"
    weights = [tf.Variable([2.0], name=name) for name in names]
    optimizer = TorchAdam(0.1, weight_decay=0.5, decayed_weights=".*/kernel")
    optimizer.apply_gradients([(tf.constant([0.0]), weight) for weight in weights])
    # a gradient of decay alone gives a step of the length of the learning rate
    assert [float(w) for w in weights] == pytest.approx([1.9, 2.0])


@pytest.mark.parametrize("precision", ["float32", "mixed_float16"])
def test_it_is_saved_with_its_model(precision, tmp_path):
    tf.keras.mixed_precision.set_global_policy(precision)
    layer = tf.keras.layers.Dense(2, input_shape=(3,), dtype="float32")
    model = tf.keras.Sequential([layer])
    adam = TorchAdam(0.3, beta_1=0.8, weight_decay=0.1, decayed_weights=".*/kernel")
    model.compile(adam, "mse")
    model.fit(tf.ones((4, 3)), tf.ones((4, 2)), verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = tf.keras.models.load_model(tmp_path / "model.keras").optimizer
    inner = getattr(loaded, "inner_optimizer", loaded)
    assert type(inner) is TorchAdam
    expected = TorchAdam.from_config(adam.get_config()).get_config()
    assert inner.get_config() == expected
    assert (inner.coupled_weight_decay, inner.decayed_weights) == (0.1, ".*/kernel")
    assert (inner.beta_1, inner.epsilon) == (0.8, 1e-8)


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"weight_decay": -1.0}, "`weight_decay` to be 0 or positive, got -1.0"),
        ({"weight_decay": float("nan")}, "`weight_decay` to be 0 or positive, got nan"),
        ({"decayed_weights": "("}, "`decayed_weights` to be a regular expression"),
    ],
)
def test_bad_settings(settings, message):
    with pytest.raises(ValueError, match=message):
        TorchAdam(**settings)
