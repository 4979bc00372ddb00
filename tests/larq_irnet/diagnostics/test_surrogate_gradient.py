import larq as lq
import numpy as np
import pytest
import tensorflow as tf

import larq_irnet as irnet
from larq_irnet.diagnostics import binary_kernels, surrogate_share
from larq_irnet.quantizers import (
    ReCU,
    ede_sign,
    laplace_quantile,
    normalized_approx_sign,
    recu_sign,
)
from larq_irnet.quantizers.ede import ede_gradient

X = np.random.default_rng(0).normal(0, 1.5, (64, 40)).astype(np.float32)


def share(quantizer, x=X, axes=(0,), **options):
    return float(surrogate_share(quantizer, x, group_axes=axes, **options))


def test_known_shares():
    assert share(lq.quantizers.ste_sign, np.full((3, 5), 0.5)) == 1
    assert share(lq.quantizers.ste_sign, np.full((3, 5), 1.5)) == 0
    assert share(lq.quantizers.ste_sign, np.array([[0.5] * 5, [2.0] * 5])) == 0.5
    assert share(tf.stop_gradient) == 0


@pytest.mark.parametrize(
    "quantizer", [lq.quantizers.ste_sign, lq.quantizers.approx_sign]
)
def test_share_of_a_window(quantizer):
    expected = np.mean(np.abs(X) < 1)
    # 64 groups of 400 probes: at most 1 / (2 sqrt(25600)), four times
    assert share(quantizer, probes=400) == pytest.approx(expected, abs=0.0125)


def test_ede_narrows():
    wide, narrow = (
        share(lambda x, t=t: ede_sign(x, t=t, k=1.0), probes=50) for t in (0.1, 10.0)
    )
    assert wide == 1
    gradient = ede_gradient(tf.constant(X), tf.ones_like(X), t=10.0, k=1.0).numpy()
    assert narrow == pytest.approx(np.mean(gradient != 0), abs=0.04)  # 3200 probes
    assert narrow < 0.7


def test_only_the_gradient_of_the_element_itself_counts():
    """ReCU's deviation passes a little gradient on to what its clamp holds back."""
    w = np.random.default_rng(0).standard_t(3, (200, 32)).astype(np.float32)
    quantizer = ReCU(tau_min=0.8)
    found = share(quantizer, w, axes=(-1,), probes=50)
    standardized = (w - w.mean(0)) / w.std(0, ddof=1)
    magnitude = tf.constant(np.abs(standardized).mean())
    inside = np.mean(np.abs(standardized) <= laplace_quantile(magnitude, 0.8))
    assert found == pytest.approx(inside, abs=0.05)  # 1600 probes
    variable = tf.constant(w)
    with tf.GradientTape() as tape:
        tape.watch(variable)
        binary = recu_sign(variable, tau=0.8)
    assert np.mean(tape.gradient(binary, variable).numpy() != 0) > 0.99

    deviation = np.sqrt(X.var(1, ddof=1, keepdims=True) + 1e-5)
    inside = np.mean(np.abs(X / deviation) < 1)
    found = share(normalized_approx_sign, probes=50)
    assert found == pytest.approx(inside, abs=0.04)


@pytest.mark.parametrize("axes", [(0,), (1,), (-1,), (1, 2), (0, -1)])
def test_groups_on_any_axes(axes):
    x = np.zeros((2, 3, 4), np.float32)
    x[1] = 3  # half of all elements, and half of each group or of the groups
    found = share(lq.quantizers.ste_sign, x, axes=axes, probes=600)
    assert found == pytest.approx(0.5, abs=0.06)


@pytest.mark.parametrize("dtype", [tf.float16, tf.bfloat16, tf.float64])
def test_types(dtype):
    x = tf.cast(X, dtype)
    assert 0.3 < share(lq.quantizers.approx_sign, x) < 0.7


def test_nan():
    # of the sign, whose gradient is 0 x NaN there
    assert np.isnan(share(ede_sign, np.full((2, 2), np.nan, np.float32)))


def test_seeds():
    results = {share(lq.quantizers.ste_sign, seed=seed) for seed in range(5)}
    assert len(results) > 1
    assert share(lq.quantizers.ste_sign) == share(lq.quantizers.ste_sign)


@pytest.mark.parametrize("options", [{"axes": (2,)}, {"probes": 0}])
def test_invalid_arguments(options):
    with pytest.raises(ValueError, match="Expected `(group_axes|probes)`"):
        share(lq.quantizers.ste_sign, **options)


@pytest.mark.parametrize("method", ["ste_sign", "irnet", "recu", "dirnet"])
def test_kernels_at_the_present_progress(method):
    with lq.context.metrics_scope(["flip_ratio"]):
        layer = irnet.layers.QuantDense(16, quantizer=method, use_bias=False)
        model = tf.keras.Sequential([tf.keras.Input((50,)), layer])
    layer.set_weights([np.random.default_rng(0).standard_t(3, (50, 16)) * 0.7])
    model(tf.ones((1, 50)))
    (kernel,) = binary_kernels(model)
    metric = layer.kernel_quantizer.flip_ratio
    before = [variable.numpy() for variable in metric.variables]
    early = kernel.surrogate_share(probes=20)
    irnet.callbacks.set_progress(model, 1.0)
    late = kernel.surrogate_share(probes=20)
    for variable, value in zip(metric.variables, before, strict=True):
        np.testing.assert_array_equal(variable, value)
    assert 0 < late <= 1
    if method == "irnet":
        assert late < early == 1
    if method == "recu":
        assert early < late
    if method == "ste_sign":
        assert (
            late
            == early
            == pytest.approx(np.mean(np.abs(kernel.variable) < 1), abs=0.1)
        )
