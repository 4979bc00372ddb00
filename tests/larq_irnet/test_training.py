"""A small network of larq_irnet layers trains wherever Keras trains."""

import numpy as np
import pytest
import tensorflow as tf

import larq_irnet as irnet
from tests.larq_irnet.python_process import run_python

STEPS = 12


METHODS = ["dirnet", "irnet", "recu"]
every_method = pytest.mark.parametrize("method", METHODS)


def build_network(method):
    layers = tf.keras.layers
    return tf.keras.Sequential(
        [
            tf.keras.Input((8, 8, 1)),
            layers.Conv2D(8, 3, padding="same"),
            layers.BatchNormalization(),
            irnet.layers.LearnableBias(),
            irnet.layers.QuantConv2D(
                8, 3, quantizer=method, padding="same", use_bias=False
            ),
            irnet.layers.ChannelScale(),
            layers.BatchNormalization(),
            irnet.layers.QuantDepthwiseConv2D(3, quantizer=method, use_bias=False),
            layers.BatchNormalization(),
            irnet.layers.QuantConv2DTranspose(8, 2, quantizer=method, use_bias=False),
            layers.BatchNormalization(),
            layers.GlobalAveragePooling2D(),
            irnet.layers.QuantDense(16, quantizer="irnet_w1a32"),
            layers.Dense(2, dtype="float32"),
        ]
    )


def train(model, **compile_options):
    """The loss of each of a few steps on stripes, upright against level."""
    rng = np.random.default_rng(0)
    y = np.arange(16) % 2
    stripes = np.broadcast_to(np.arange(8) % 2 * 2.0 - 1.0, (16, 8, 8))
    x = np.where(y[:, None, None], stripes, stripes.transpose(0, 2, 1))
    x = (x + rng.normal(0, 0.3, x.shape)).astype("float32")[..., None]
    model.compile(
        tf.keras.optimizers.Adam(0.01),
        tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        **compile_options,
    )
    scheduler = irnet.callbacks.EstimatorScheduler()
    options = {"epochs": STEPS, "batch_size": 16, "verbose": 0}
    return model.fit(x, y, callbacks=[scheduler], **options).history["loss"]


def assert_trained(losses, model):
    assert np.isfinite(losses).all()
    # Adam on 16 separable images; a frozen or random network stays near log 2
    assert losses[-1] < 0.7 * losses[0]
    for quantizer in irnet.callbacks.scheduled_quantizers(model):
        # float32
        np.testing.assert_allclose(quantizer.progress, (STEPS - 1) / STEPS, rtol=1e-6)


@every_method
def test_float32_with_and_without_jit_compile(method):
    first_losses = []
    for jit_compile in (False, True):
        tf.keras.utils.set_random_seed(1)
        model = build_network(method)
        losses = train(model, jit_compile=jit_compile)
        assert_trained(losses, model)
        first_losses.append(losses[0])
    # float32 sums in another order; later steps differ by whole flipped signs
    np.testing.assert_allclose(first_losses[0], first_losses[1], rtol=1e-3)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
@every_method
def test_mixed_precision(method, policy):
    tf.keras.mixed_precision.set_global_policy(policy)
    model = build_network(method)
    assert_trained(train(model), model)
    assert {w.dtype for w in model.trainable_weights} == {tf.float32}


MIRRORED = """
import larq_irnet
import tensorflow as tf
from tests.larq_irnet import test_training

cpu = tf.config.list_physical_devices("CPU")[0]
half = tf.config.LogicalDeviceConfiguration()
tf.config.set_logical_device_configuration(cpu, [half, half])
tf.keras.utils.set_random_seed(1)
strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
assert strategy.num_replicas_in_sync == 2
for method in test_training.METHODS:
    with strategy.scope():
        model = test_training.build_network(method)
    test_training.assert_trained(test_training.train(model), model)
    for quantizer in larq_irnet.callbacks.scheduled_quantizers(model):
        copies = strategy.experimental_local_results(quantizer.progress)
        assert len(copies) == 2
        assert copies[0].numpy() == copies[1].numpy() > 0.9
    # from within a step as well, as custom training loops may do
    strategy.run(lambda: larq_irnet.callbacks.set_progress(model, 0.25))
    for quantizer in larq_irnet.callbacks.scheduled_quantizers(model):
        copies = strategy.experimental_local_results(quantizer.progress)
        assert [copy.numpy() for copy in copies] == [0.25, 0.25]
"""


def test_mirrored_strategy_on_two_devices():
    process = run_python(MIRRORED)
    assert process.returncode == 0, process.stderr
