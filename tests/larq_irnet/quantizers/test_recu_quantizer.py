"""The class: schedule, scale, and what a layer makes of it."""

import math

import larq as lq
import numpy as np
import pytest
import tensorflow as tf

import larq_irnet as irnet
from larq_irnet.quantizers import ReCU, laplace_quantile, recu_scale, recu_sign
from tests.larq_irnet import recu_oracle
from tests.larq_irnet.differentiation import value_and_gradient

either_centring = pytest.mark.parametrize("centered", [True, False])


@pytest.mark.parametrize(
    ("tau_min", "tau_max"),
    [(0.49, 0.9), (0.9, 1.01), (0.95, 0.9), (math.nan, 0.9), (0.9, math.nan)],
)
def test_bad_bounds(tau_min, tau_max):
    rule = "Expected 0.5 <= `tau_min` <= `tau_max` <= 1"
    message = f"{rule}, got tau_min={tau_min} and tau_max={tau_max}"
    with pytest.raises(ValueError, match=message):
        ReCU(tau_min=tau_min, tau_max=tau_max)


def test_an_analytic_scale_of_zero():
    with pytest.raises(
        ValueError, match="Expected 0.5 < `tau_max` with .*, got tau_ma"
    ):
        ReCU(tau_min=0.5, tau_max=0.5, analytic_scale=True)


@pytest.mark.parametrize("tau", [0.49, 1.01, math.nan])
@pytest.mark.parametrize("function", [laplace_quantile, recu_scale, recu_sign])
def test_bad_quantiles(function, tau):
    message = rf"Expected 0\.5 <= `tau` <= 1, got {tau}"
    with pytest.raises(ValueError, match=message):
        function(tf.ones((3, 1)), tau)


@pytest.mark.parametrize("progress", [0.0, 0.6, 1.0])
@either_centring
def test_quantizer_follows_its_progress(progress, centered):
    quantizer = ReCU(
        tau_min=0.6, tau_max=0.9, b_star=1.5, centered=centered, filter_axes=(-2, -1)
    )
    quantizer.progress.assign(progress)
    rng = np.random.default_rng(0)
    w, dy = (rng.normal(size=(3, 3, 2, 2)).astype("float32") for _ in range(2))
    q, dw = value_and_gradient(quantizer, w, dy)
    w, dy = w.astype("float64"), dy.astype("float64")
    tau = recu_oracle.schedule(progress, 0.6, 0.9)
    np.testing.assert_array_equal(q, recu_oracle.recu(w, (0, 1), centered))
    expected = recu_oracle.recu_gradient(w, dy, tau, (0, 1), 1.5, centered)
    # float32 sums over 9 elements, and the rounding of tau
    np.testing.assert_allclose(dw, expected, rtol=0, atol=1e-5)


def test_quantizer_with_equal_bounds_keeps_its_constant():
    quantizer = ReCU(tau_min=0.75, tau_max=0.75)
    quantizer.progress.assign(0.7)
    assert {name: float(v) for name, v in quantizer.schedule().items()} == {"tau": 0.75}


def test_analytic_scale_multiplies_signs_and_gradient_and_never_changes():
    w = np.random.default_rng(0).laplace(size=(3, 3, 4, 5)).astype("float32")
    dy = np.random.default_rng(1).normal(size=w.shape).astype("float32")
    scaled, plain = ReCU(analytic_scale=True, tau_max=0.95), ReCU(tau_max=0.95)
    scale = recu_scale(w, 0.95).numpy()
    for progress in (0.0, 0.5, 1.0):
        for quantizer in (scaled, plain):
            quantizer.progress.assign(progress)
        q, dw = value_and_gradient(scaled, w, dy)
        expected = value_and_gradient(plain, w, dy)
        np.testing.assert_array_equal(q, expected[0] * scale)
        # another order of two products in float32
        np.testing.assert_allclose(dw, expected[1] * scale, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("progress", [0.0, 1.0])
def test_training_and_inference_give_bit_equal_outputs(progress):
    layer = irnet.layers.QuantConv2D(8, 3, quantizer="recu", padding="same")
    network = tf.keras.Sequential([tf.keras.Input((8, 8, 4)), layer])
    x = tf.random.normal((4, 8, 8, 4), 0.5)
    expected = network(x, training=False)
    irnet.callbacks.set_progress(network, progress)
    for training in (True, False, None):
        np.testing.assert_array_equal(network(x, training=training), expected)


def test_larq_depthwise_layer_takes_an_instance():
    layer = lq.layers.QuantDepthwiseConv2D(
        3, depthwise_quantizer=ReCU(filter_axes=(-2, -1)), use_bias=False
    )
    layer.build((None, 8, 8, 4))
    with lq.context.quantized_scope(True):
        binary = layer.get_weights()[0]
    latent = np.float64(layer.get_weights()[0])
    np.testing.assert_array_equal(binary, recu_oracle.recu(latent, (0, 1)))
