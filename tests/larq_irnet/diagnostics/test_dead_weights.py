import math

import numpy as np
import pytest
import tensorflow as tf

from larq_irnet.diagnostics import (
    DEAD_TAU,
    dead_share,
    standardized_weights,
    stuck_share,
)
from larq_irnet.quantizers import recu_sign
from tests.larq_irnet import oracle

N = 20_000
MIDPOINTS = (np.arange(N) + 0.5) / N  # where to invert a cumulative distribution


def laplace():
    p = MIDPOINTS
    return np.where(p < 0.5, np.log(2 * p), -np.log(2 - 2 * p))


def uniform():
    return 2 * MIDPOINTS - 1


def two_point():
    return np.where(MIDPOINTS < 0.5, -1.0, 1.0)


def outside_of_uniform(tau):
    """Q is -ln(2 - 2 tau) / 2 of the half width, of which E|w| is one half."""
    return max(0.0, 1 + math.log(2 - 2 * tau) / 2)


KNOWN = {
    "laplace": (laplace, lambda tau: 2 * (1 - tau)),
    "uniform": (uniform, outside_of_uniform),
    "two_point": (two_point, lambda tau: float(-math.log(2 - 2 * tau) < 1)),
}


def kernel_of(seed=0, shape=(3, 3, 4, 5), dtype=np.float32):
    return np.random.default_rng(seed).normal(size=shape).astype(dtype)


@pytest.mark.parametrize("tau", [0.5, 0.6, 0.85, 0.9, 0.95, 0.99, 0.999])
@pytest.mark.parametrize("name", KNOWN)
def test_dead_share_of_known_distributions(name, tau):
    sample, expected = KNOWN[name]
    # 20,000 points resolve 5e-5; the mean magnitude of the Laplace sample is 6e-5 off
    share = dead_share(sample()[:, None], tau=tau)
    assert share == pytest.approx(expected(tau), abs=3e-4)


@pytest.mark.parametrize("tau", [0.85, 0.95])
@pytest.mark.parametrize("axes", [(-1,), (-2, -1), (-2,)])
def test_dead_share_agrees_with_the_equations(axes, tau):
    w = np.random.default_rng(0).standard_t(3, size=(3, 3, 4, 5))
    what, _ = oracle.standardize(w, oracle.reduced_axes(4, axes))
    limit = -np.abs(what).mean() * np.log(2 - 2 * tau)
    expected = np.mean(np.abs(what) > limit)
    assert dead_share(w, tau=tau, filter_axes=axes) == expected > 0


def test_quantiles_are_those_of_the_whole_layer():
    # of one deviation; alone, the first would have all its weights at the same place
    narrow, wide = np.repeat([-1.0, 1.0], 500), np.zeros(1000)
    wide[:4] = [-1, -1, 1, 1]
    assert dead_share(np.stack([narrow, wide], -1)) == 4 / 2000


def test_dead_weights_are_those_without_a_direct_gradient_in_recu():
    w = np.random.default_rng(2).standard_t(3, size=(400, 1))
    tau = 0.9
    with tf.GradientTape() as tape:
        x = tf.constant(w)
        tape.watch(x)
        signs = recu_sign(x, tau)
    # each weight alone: only within the quantiles has it a gradient that grows with it
    jacobian = tape.jacobian(signs, x).numpy().reshape(400, 400)
    has_gradient = np.abs(jacobian).sum(1) > 0
    assert dead_share(w, tau=tau) == np.mean(~has_gradient) > 0


@pytest.mark.parametrize("shift, scale", [(3.0, 1.0), (0.0, 1e-6), (-2.0, 1e6)])
def test_shares_know_neither_shift_nor_scale_of_a_filter(shift, scale):
    w = kernel_of(dtype=np.float64)
    other = w.copy()
    other[..., 1] = scale * (other[..., 1] + shift)
    assert dead_share(other, tau=0.9) == dead_share(w, tau=0.9) > 0
    # float64, after a shift by three deviations
    np.testing.assert_allclose(
        standardized_weights(other), standardized_weights(w), rtol=1e-9, atol=1e-12
    )


def test_standardized_weights_are_in_mean_magnitudes():
    w = kernel_of()
    what, _ = oracle.standardize(w.astype(np.float64), (0, 1, 2))
    # computed in float32
    np.testing.assert_allclose(
        standardized_weights(w), what / np.abs(what).mean(), rtol=1e-5, atol=1e-6
    )


def test_constant_filters_have_no_tails():
    w = kernel_of()
    w[..., 2] = 0.7
    assert not standardized_weights(w)[..., 2].any()
    assert dead_share(np.ones((4, 3))) == 0.0


def test_filters_of_one_element_are_measured_as_they_are():
    w = np.array([[1.0, -1.0, 1.0, 9.0]])  # the mean magnitude is 3
    np.testing.assert_allclose(standardized_weights(w), w / 3)
    assert dead_share(w, tau=0.9) == 0.25  # beyond 1.61 of 3


@pytest.mark.parametrize("dtype", [tf.float16, tf.bfloat16, tf.float32, tf.float64])
def test_floating_types(dtype):
    w = tf.cast(laplace()[:, None], dtype)
    # bfloat16 has eight bits: its steps at the quantile are 1.6e-2 wide
    assert dead_share(w) == pytest.approx(0.02, abs=2e-3)
    assert stuck_share(w, w) == 1.0


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("shape", [(3, 3, 4, 5), (1, 60)])
def test_kernels_that_are_not_finite(value, shape):
    w = kernel_of(shape=shape)
    broken = w.copy()
    broken[0, 0] = value
    assert math.isnan(dead_share(broken))
    assert np.isnan(standardized_weights(broken)).all()
    assert math.isnan(stuck_share(w, broken))
    assert math.isnan(stuck_share(broken, w))


@pytest.mark.parametrize("tau", [0.49, 1.0, -1, math.nan])
def test_tau_outside_its_range(tau):
    with pytest.raises(ValueError, match=rf"`tau` within \[0.5, 1\), got {tau}"):
        dead_share(kernel_of(), tau=tau)


def test_axes_that_do_not_fit():
    with pytest.raises(ValueError, match="`filter_axes` within the 4 axes"):
        dead_share(kernel_of(), filter_axes=(4,))


def test_the_default_tells_tails_apart_where_a_narrower_quantile_does_not():
    normal = np.random.default_rng(0).normal(size=(200_000, 1))
    laplace_, uniform_ = laplace()[:, None], uniform()[:, None]
    # what the docstring says; 200,000 samples: standard errors of 1e-4 and 9e-4
    assert dead_share(laplace_) == pytest.approx(0.02, abs=3e-4)
    assert dead_share(normal) == pytest.approx(0.0018, abs=4e-4)
    assert dead_share(uniform_) == 0.0
    for kernel in laplace_, normal, uniform_:
        assert dead_share(kernel, tau=0.9) == pytest.approx(0.2, abs=6e-3)
    assert DEAD_TAU == 0.99


def stuck_by_the_equation(w, moved, threshold, centred):
    signs = [np.where(k - centred * k.mean() < 0, -1, 1) for k in (w, moved)]
    is_near = np.abs(moved - w) <= threshold * np.abs(w).mean()
    return np.mean(is_near & (signs[0] == signs[1]))


@pytest.mark.parametrize("threshold", [1e-3, 0.01, 0.5])
@pytest.mark.parametrize("centred", [False, True])
def test_stuck_share_agrees_with_the_equation(threshold, centred):
    generator = np.random.default_rng(0)
    w = 0.2 + generator.normal(size=(500, 1))
    moved = w + 0.01 * generator.standard_t(1, size=w.shape)
    signs = (recu_sign(w), recu_sign(moved)) if centred else None
    share = stuck_share(w, moved, threshold=threshold, signs=signs)
    expected = stuck_by_the_equation(w, moved, threshold, centred)
    assert 0 < share == expected < 1


def test_what_stays_is_stuck_and_what_moves_or_flips_is_not():
    before = np.array([1.0, -1.0, 1.0, 1e-3, -1e-3])  # the mean magnitude is 0.6004
    after = before + [0.0, 0.005, 0.007, -0.002, 0.002]
    assert stuck_share(before, after) == 2 / 5
    assert stuck_share(before, after, threshold=0.1) == 3 / 5


def test_a_weight_may_flip_because_the_others_move():
    before = np.array([[1.0], [2.0], [3.0], [6.0], [8.0]])  # the mean is 4
    after = before + [[0.0], [0.0], [0.0], [0.0], [16.0]]  # 7.2
    assert stuck_share(before, after) == 4 / 5
    signs = recu_sign(before), recu_sign(after)
    assert stuck_share(before, after, signs=signs) == 3 / 5


def test_a_kernel_of_zeros_moves_by_anything():
    zeros = np.zeros(4)
    assert stuck_share(zeros, zeros) == 1.0
    assert stuck_share(zeros, zeros + 1e-9) == 0.0


@pytest.mark.parametrize("threshold", [0.0, -0.1, math.nan, math.inf])
def test_threshold_that_is_not_positive(threshold):
    with pytest.raises(ValueError, match=rf"0 < `threshold` < inf.*, got {threshold}"):
        stuck_share(np.ones(3), np.ones(3), threshold=threshold)


def test_kernels_of_different_shapes():
    with pytest.raises(ValueError, match=r"of one shape, got \(3, 1\) and \(3,\)"):
        stuck_share(np.ones((3, 1)), np.ones(3))
