"""Against `torch.optim.SGD`, step by step."""

import re

import numpy as np
import pytest
import tensorflow as tf
import torch

import larq_irnet as irnet
from zoo.learning_rate import LearningRate
from zoo.torch_sgd import TorchSGD

STEPS = 12
SETTINGS = [
    {},
    {"weight_decay": 1e-2},
    {"momentum": 0.0, "weight_decay": 1e-2},
    {"nesterov": True},
    {"nesterov": True, "weight_decay": 1e-2},
]


@pytest.fixture
def float64():
    """Learning rates have the type of Keras' `floatx`."""
    tf.keras.backend.set_floatx("float64")
    yield
    tf.keras.backend.set_floatx("float32")


def gradients(seed=0):
    return np.random.default_rng(seed).normal(size=(STEPS, 3, 4))


def schedule():
    return LearningRate(
        0.5,
        "step",
        epochs=1,
        steps_per_epoch=STEPS,
        warmup_steps=4,
        warmup_start=0.1,
        decay_steps=(8,),
    )


def torch_weights(settings, rates):
    weight = torch.nn.Parameter(torch.ones(3, 4, dtype=torch.float64))
    optimizer = torch.optim.SGD([weight], lr=1.0, **{"momentum": 0.9, **settings})
    for rate, gradient in zip(rates, gradients()):
        optimizer.param_groups[0]["lr"] = rate
        weight.grad = torch.tensor(gradient)
        optimizer.step()
        yield weight.detach().numpy().copy()


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
@pytest.mark.parametrize("in_graph", [False, True])
def test_the_weights_of_torch(settings, in_graph, float64):
    weight = tf.Variable(np.ones((3, 4)))
    optimizer = TorchSGD(schedule(), **settings)
    optimizer.build([weight])

    def step(gradient):
        optimizer.apply_gradients([(gradient, weight)])

    step = tf.function(step, reduce_retracing=True) if in_graph else step
    rates = [float(schedule()(number)) for number in range(STEPS)]
    for gradient, expected in zip(gradients(), torch_weights(settings, rates)):
        step(tf.constant(gradient))
        # the same operations in float64; a multiplication and addition may be fused
        np.testing.assert_allclose(weight.numpy(), expected, rtol=1e-12, atol=1e-12)


def named_weights():
    names = ["stem_conv/kernel", "stem_bn/gamma", "logits/kernel", "logits/bias"]
    return [tf.Variable([1.0, 2.0], name=name) for name in names]


@pytest.mark.parametrize(
    "pattern, decayed",
    [
        (".*", [0, 1, 2, 3]),
        ("stem_conv/.*|logits/bias", [0, 3]),
        ("logits/kernel", [2]),
        ("logits.*", [2, 3]),
        (".*/kernel", [0, 2]),
    ],
)
def test_decay_of_some_weights(pattern, decayed):
    weights = named_weights()
    optimizer = TorchSGD(0.5, momentum=0.0, weight_decay=0.5, decayed_weights=pattern)
    gradient = tf.constant([1.0, 1.0])
    optimizer.apply_gradients([(gradient, weight) for weight in weights])
    for index, weight in enumerate(weights):
        # w - 0.5 (1 + 0.5 w), all of it exact
        expected = [0.25, 1.0] if index in decayed else [0.5, 1.5]
        np.testing.assert_array_equal(weight.numpy(), expected)


@pytest.mark.parametrize("pattern", ["logits", "kernel", "LOGITS/.*", "", "logits/k"])
def test_decay_of_no_weight(pattern):
    optimizer = TorchSGD(0.5, weight_decay=0.5, decayed_weights=pattern)
    message = (
        "Expected `decayed_weights` to match one of 4 weights, such as "
        f"'stem_conv/kernel', got '{pattern}', which matches none"
    )
    for _ in range(2):  # it stays refused
        with pytest.raises(ValueError, match=re.escape(message)):
            optimizer.build(named_weights())


def test_weights_that_have_no_gradient_at_first():
    first = tf.Variable([1.0], name="dense/first")
    second = tf.Variable([1.0], name="dense/second")
    optimizer = TorchSGD(0.5, momentum=0, weight_decay=0.5, decayed_weights=".*second")
    optimizer.build([first, second])
    optimizer.apply_gradients([(tf.constant([0.0]), second)])
    optimizer.apply_gradients([(tf.constant([0.0]), first)])
    assert (float(first), float(second)) == (1.0, 0.75)


def test_a_resumed_optimizer_goes_on_as_if_nothing_had_happened(tmp_path, float64):
    def trained(weight, optimizer, chosen):
        for gradient in chosen:
            optimizer.apply_gradients([(tf.constant(gradient), weight)])

    def fresh():
        weight = tf.Variable(np.ones((3, 4)))
        optimizer = TorchSGD(schedule(), weight_decay=1e-2, nesterov=True)
        optimizer.build([weight])
        return weight, optimizer, tf.train.Checkpoint(w=weight, o=optimizer)

    whole, optimizer, _ = fresh()
    trained(whole, optimizer, gradients())
    first, optimizer, checkpoint = fresh()
    trained(first, optimizer, gradients()[:6])
    path = checkpoint.save(str(tmp_path / "ckpt"))
    second, optimizer, checkpoint = fresh()
    checkpoint.restore(path).assert_existing_objects_matched()
    trained(second, optimizer, gradients()[6:])
    np.testing.assert_array_equal(second.numpy(), whole.numpy())


def test_sparse_gradients(float64):
    # rows of an embedding, one of them twice: torch has no decay on sparse gradients,
    # here it acts on all rows as with the dense gradient
    table, dense = tf.Variable(np.ones((5, 2))), tf.Variable(np.ones((5, 2)))
    values = tf.constant(np.random.default_rng(0).normal(size=(3, 2)))
    sparse = tf.IndexedSlices(values, tf.constant([1, 4, 1]), tf.constant([5, 2]))
    for weight, gradient in (
        (table, sparse),
        (dense, tf.math.unsorted_segment_sum(values, [1, 4, 1], 5)),
    ):
        optimizer = TorchSGD(0.1, weight_decay=0.1, nesterov=True)
        for _ in range(3):
            optimizer.apply_gradients([(gradient, weight)])
    np.testing.assert_allclose(table.numpy(), dense.numpy(), rtol=1e-15)
    assert np.all(table.numpy()[0] < 1)  # decayed without a gradient


def test_mixed_precision_keeps_float32_weights_and_skips_overflows():
    weight = tf.Variable([1.0, 2.0])
    optimizer = tf.keras.mixed_precision.LossScaleOptimizer(
        TorchSGD(0.5, momentum=0.0, weight_decay=0.5)
    )
    scale = float(optimizer.loss_scale)
    scaled = tf.constant([scale, 0.0])
    optimizer.apply_gradients(zip(optimizer.get_unscaled_gradients([scaled]), [weight]))
    # w - 0.5 (g + 0.5 w): the decay is not scaled
    np.testing.assert_array_equal(weight.numpy(), [0.25, 1.5])
    infinite = tf.constant([np.inf, 0.0])
    optimizer.apply_gradients(
        zip(optimizer.get_unscaled_gradients([infinite]), [weight])
    )
    np.testing.assert_array_equal(weight.numpy(), [0.25, 1.5])
    assert weight.dtype == tf.float32


def test_latent_weights_decay():
    layer = irnet.layers.QuantConv2D(4, 3, quantizer="irnet", use_bias=False)
    images = tf.random.stateless_normal((2, 5, 5, 3), seed=[0, 0])
    layer(images)
    (latent,) = layer.get_weights()
    optimizer = TorchSGD(0.5, momentum=0.0, weight_decay=0.5)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(layer(images) ** 2)
    (gradient,) = tape.gradient(loss, layer.trainable_weights)
    optimizer.apply_gradients([(gradient, layer.trainable_weights[0])])
    expected = latent - 0.5 * (gradient.numpy() + 0.5 * latent)
    # float32
    np.testing.assert_allclose(layer.get_weights()[0], expected, rtol=1e-5, atol=1e-6)
    assert np.abs(gradient.numpy()).max() > 0


def test_serialisation():
    optimizer = TorchSGD(
        schedule(),
        momentum=0.8,
        nesterov=True,
        weight_decay=1e-4,
        decayed_weights=".*/kernel",
    )
    again = tf.keras.optimizers.deserialize(tf.keras.optimizers.serialize(optimizer))
    assert type(again) is TorchSGD
    assert again.get_config() == optimizer.get_config()
    assert again.coupled_weight_decay == 1e-4
    assert again.decayed_weights == ".*/kernel"
    assert again.weight_decay is None  # Keras' own stays off


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"momentum": 1.0}, r"`momentum` in \[0, 1\), got 1.0"),
        ({"momentum": -0.1}, r"`momentum` in \[0, 1\), got -0.1"),
        ({"weight_decay": -1.0}, "`weight_decay` to be 0 or positive, got -1.0"),
        ({"weight_decay": float("nan")}, "`weight_decay` to be 0 or positive, got nan"),
        ({"nesterov": True, "momentum": 0.0}, "Expected momentum with `nesterov`"),
        ({"decayed_weights": "["}, r"`decayed_weights` to be a regular .* got '\['"),
    ],
)
def test_settings_out_of_range(settings, message):
    with pytest.raises(ValueError, match=message):
        TorchSGD(0.1, **settings)


def test_a_loaded_model_does_not_lose_its_decay_unnoticed(tmp_path):
    # Keras leaves the layer out of the names of quantized kernels that it loads
    model = tf.keras.Sequential(
        [
            irnet.layers.QuantDense(2, quantizer="irnet", name="binary"),
            tf.keras.layers.Dense(2, name="logits"),
        ]
    )
    model.build((None, 3))
    model.compile(TorchSGD(weight_decay=0.1, decayed_weights=".*/kernel"), "mse")
    x, y = tf.ones((4, 3)), tf.ones((4, 2))
    model.fit(x, y, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = tf.keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded.predict(x, verbose=0), model(x))
    with pytest.raises(
        ValueError, match="names such as 'logits/kernel' .*got 'kernel'"
    ):
        loaded.fit(x, y, verbose=0)
