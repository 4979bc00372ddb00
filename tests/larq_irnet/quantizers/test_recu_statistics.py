"""ReCU's schedule, quantile, deviation and analytic scale: published values."""

import math

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from larq_irnet.quantizers import laplace_quantile, recu_scale, recu_schedule
from tests.larq_irnet import recu_oracle
from tests.larq_irnet.differentiation import MODES

either_centring = pytest.mark.parametrize("centered", [True, False])


@pytest.mark.parametrize(
    ("progress", "tau", "quantile"),
    [
        (0.0, 0.850, 2.41),
        (0.25, 0.8731, 2.74),
        (0.5, 0.9029, 3.28),
        (0.75, 0.9410, 4.27),
        (599 / 600, 0.9896, 7.75),
        (199 / 200, 0.9889, 7.61),
        (1.0, 0.99, 7.82),
    ],
)
def test_published_schedule_and_its_quantiles(progress, tau, quantile):
    actual = recu_schedule(tf.constant(progress, tf.float64), 0.85, 0.99)
    # four digits of tau, three of the quantile of a Laplace distribution with b = 2
    assert actual.numpy() == pytest.approx(tau, abs=6e-5)
    limit = laplace_quantile(tf.constant(2.0, tf.float64), actual)
    assert limit.numpy() == pytest.approx(quantile, abs=6e-3)
    # a handful of float64 roundings
    expected = recu_oracle.schedule(progress, 0.85, 0.99)
    np.testing.assert_allclose(actual, expected, rtol=1e-14)


@given(st.floats(0.0, 1.0), st.floats(0.5, 1.0), st.floats(0.5, 1.0))
def test_schedule_stays_within_its_bounds(progress, one, other):
    tau_min, tau_max = sorted((one, other))
    tau = recu_schedule(tf.constant(progress, tf.float64), tau_min, tau_max).numpy()
    assert tau_min - 1e-15 <= tau <= tau_max + 1e-15  # float64 rounding


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_schedule_has_the_dtype_of_progress(dtype):
    tau = recu_schedule(tf.constant(0.3, dtype))
    assert tau.dtype == dtype
    assert tau.shape == ()


@pytest.mark.parametrize(("progress", "tau"), [(0, 0.85), (1, 0.99)])
def test_progress_may_be_an_integer(progress, tau):
    # float32
    assert float(recu_schedule(progress)) == pytest.approx(tau, rel=1e-6)


@pytest.mark.parametrize("tau", [0.5, 0.7, 0.9, 0.99])
def test_quantile_of_a_laplace_sample(tau):
    sample = np.random.default_rng(0).laplace(0.0, 3.0, 200_000)
    expected = np.quantile(sample, tau)
    actual = laplace_quantile(tf.constant(np.abs(sample).mean()), tau)
    # five standard errors of a quantile: sqrt(tau (1 - tau) / n) over its density
    error = 5 * 3.0 * np.sqrt(tau / (1 - tau) / len(sample))
    assert actual.numpy() == pytest.approx(expected, abs=error)


@pytest.mark.parametrize("mode", MODES)
def test_quantile_at_its_ends(mode):
    quantile = MODES[mode](laplace_quantile)
    assert quantile(tf.constant(2.0), tf.constant(1.0)).numpy() == math.inf
    assert quantile(tf.constant(2.0), tf.constant(0.5)).numpy() == 0.0
    assert quantile(tf.constant(0.0), tf.constant(1.0)).numpy() == 0.0


@pytest.mark.parametrize(
    ("deviation", "achieved"),
    [(1e-2, 2.69), (3e-3, 1.95), (1e-3, 0.85), (1.0, 2.83), (1e3, 2.83)],
)
def test_achieved_deviation(deviation, achieved):
    # half of the weights are +deviation: the mean magnitude is the deviation
    w = np.full((10_000, 2), deviation)
    w[::2] *= -1
    # 2.69 is of a sample, 2.697 exact; three digits
    assert recu_scale(w, 1.0).numpy() == pytest.approx(achieved, abs=8e-3)
    assert recu_scale(w, 1.0, b_star=1.0).numpy() == pytest.approx(
        achieved / 2, abs=4e-3
    )


@pytest.mark.parametrize("tau", [0.6, 0.85, 0.99])
@either_centring
def test_analytic_scale_of_a_laplace_sample(centered, tau):
    w = np.random.default_rng(0).laplace(0.0, 0.05, (3, 3, 128, 64))
    scale = recu_scale(w, tau, centered=centered).numpy()
    kernel = recu_oracle.normalize(w, (0, 1, 2), centered=centered)
    # a mean of 73,728 float64 numbers
    expected = np.abs(kernel).mean() * (2 * tau - 1)
    np.testing.assert_allclose(scale, expected, rtol=1e-12)
    # b = 2, and the mean of the clamped weights; five standard errors are 2 %
    assert scale == pytest.approx(2 * (2 * tau - 1), rel=0.02)
    limit = recu_oracle.quantile(kernel, tau)
    assert scale == pytest.approx(
        np.abs(np.clip(kernel, -limit, limit)).mean(), rel=0.02
    )


@pytest.mark.parametrize("tau", [0.6, 0.99])
def test_python_constants_are_not_rounded_to_float32(tau):
    w = np.array([[-1.0], [1.0]])
    # a few roundings of float64; a tau that is rounded to float32 is off by 1e-8
    limit = laplace_quantile(tf.constant(2.0, tf.float64), tau).numpy()
    assert limit == pytest.approx(-2 * math.log(2 - 2 * tau), rel=1e-13)
    expected = np.abs(recu_oracle.normalize(w, (0,))).mean() * (2 * tau - 1)
    assert recu_scale(w, tau).numpy() == pytest.approx(expected, rel=1e-14)
