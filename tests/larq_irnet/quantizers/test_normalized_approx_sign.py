import math

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from larq_irnet.quantizers import normalized_approx_sign
from tests.larq_irnet import recu_oracle
from tests.larq_irnet.complex_step import complex_step
from tests.larq_irnet.differentiation import MODES, value_and_gradient
from tests.larq_irnet.gaussian_kernels import seeds

shapes = hnp.array_shapes(min_dims=2, max_dims=5, max_side=5)


def _activations(seed, shape, dtype="float64"):
    """Samples of all scales, most with a mean, and a gradient of order one."""
    rng = np.random.default_rng(seed)
    scale = 10 ** rng.uniform(-3, 2, (shape[0], *[1] * (len(shape) - 1)))
    x = scale * rng.normal(rng.uniform(-1, 1), 1.0, shape)
    return x.astype(dtype), rng.normal(size=shape).astype(dtype)


def _size_of_gradient(x, dy):
    """The size of the terms that are subtracted, for each sample."""
    axes = recu_oracle.sample_axes(x)
    c, deviation = recu_oracle.statistics(x, axes)
    radial = np.abs(c / deviation).max(axes, keepdims=True)
    return (1 + radial) * np.abs(dy).max() / deviation


# Errors relative to the terms that cancel: sums of n <= 625 elements, and a deviation
# that is off by the rounding of a mean of at most five deviations.
@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-9), ("float32", 1e-4)])
@given(shapes, seeds)
def test_signs_and_gradient_agree_with_the_oracle(dtype, tolerance, shape, seed):
    x, dy = _activations(seed, shape, dtype)
    y, dx = value_and_gradient(normalized_approx_sign, x, dy)
    x, dy = np.float64(x), np.float64(dy)
    assert y.dtype == dx.dtype == dtype
    np.testing.assert_array_equal(y, recu_oracle.sign(x))
    error = np.abs(dx - recu_oracle.normalized_approx_sign_gradient(x, dy))
    assert (error <= tolerance * _size_of_gradient(x, dy)).all()


@given(shapes, seeds)
def test_gradient_agrees_with_numerical_differentiation(shape, seed):
    x, dy = _activations(seed, shape)
    _, dx = value_and_gradient(normalized_approx_sign, x, dy)
    slope = recu_oracle.approx_sign_slope(recu_oracle.normalize_samples(x))
    expected = complex_step(recu_oracle.normalize_samples, x, dy * slope)
    # both in float64, by different sums over up to 625 elements
    error = np.abs(dx - expected)
    assert (error <= 1e-9 * _size_of_gradient(x, dy)).all()


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    ("dtype", "tolerance"), [("float64", 1e-13), ("float32", 1e-5)]
)
def test_every_mode_agrees_with_the_oracle(dtype, tolerance, mode):
    rng = np.random.default_rng(0)
    x, dy = (rng.normal(0.2, 1.0, (3, 6, 5, 4)).astype(dtype) for _ in range(2))
    y, dx = value_and_gradient(normalized_approx_sign, x, dy, mode)
    x, dy = x.astype("float64"), dy.astype("float64")
    np.testing.assert_array_equal(y, recu_oracle.sign(x))
    expected = recu_oracle.normalized_approx_sign_gradient(x, dy)
    # sums over 120 elements of order one
    np.testing.assert_allclose(dx, expected, rtol=0, atol=tolerance)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@given(shapes, seeds)
def test_half_precision_rounds_only_the_results(dtype, shape, seed):
    x, dy = (tf.cast(v, dtype) for v in _activations(seed, shape))
    y, dx = value_and_gradient(normalized_approx_sign, x, dy)
    wide = (tf.cast(v, tf.float32) for v in (x, dy))
    expected = value_and_gradient(normalized_approx_sign, next(wide), next(wide))
    np.testing.assert_array_equal(y, tf.cast(expected[0], dtype))
    np.testing.assert_array_equal(dx, tf.saturate_cast(expected[1], dtype))


def test_zero_is_positive_whatever_its_sign():
    signs = normalized_approx_sign([[0.0, -0.0, -1e-30]])
    assert signs.numpy().tolist() == [[1.0, 1.0, -1.0]]


def test_the_window_is_one_deviation_of_the_sample():
    x = np.linspace(-2.0, 2.0, 101)[None] * np.array([[0.1], [1.0], [30.0]])
    dy = np.ones_like(x)
    dy[:, ::2] = -1.0  # sum g xhat vanishes but for rounding: x is odd, g is even
    _, dx = value_and_gradient(normalized_approx_sign, x, dy)
    deviation = np.sqrt(x.var(1, ddof=1) + 1e-5)[:, None]
    np.testing.assert_array_equal(np.abs(dx) > 1e-12, np.abs(x) < deviation)
    expected = dy * np.maximum(2 - 2 * np.abs(x) / deviation, 0) / deviation
    # float64 sums over 101 elements
    np.testing.assert_allclose(dx, expected, atol=1e-12)


def test_samples_do_not_know_of_each_other():
    x, dy = _activations(0, (4, 6, 6, 3))
    _, together = value_and_gradient(normalized_approx_sign, x, dy)
    for index in range(4):
        one = slice(index, index + 1)
        _, alone = value_and_gradient(normalized_approx_sign, x[one], dy[one])
        # only the order of float64 sums over 108 elements may differ
        np.testing.assert_allclose(together[one], alone, rtol=1e-12, atol=1e-12)


def test_gradient_shrinks_as_activations_grow():
    x, dy = _activations(0, (4, 6, 6, 3))
    x = x / x.std((1, 2, 3), keepdims=True)  # far from sqrt(1e-5)
    _, dx = value_and_gradient(normalized_approx_sign, x, dy)
    _, of_larger = value_and_gradient(normalized_approx_sign, 100 * x, dy)
    # the share of 1e-5 in a variance of one
    np.testing.assert_allclose(100 * of_larger, dx, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("value", [0.0, 1e-4, 0.3, -7.0])
def test_constant_samples(value):
    x, dy = np.full((2, 3, 4), value), np.random.default_rng(0).normal(size=(2, 3, 4))
    _, dx = value_and_gradient(normalized_approx_sign, x, dy)
    deviation = math.sqrt(1e-5)
    expected = dy * max(2 - 2 * abs(value) / deviation, 0.0) / deviation
    np.testing.assert_allclose(dx, expected, rtol=1e-12)  # float64


@pytest.mark.parametrize("mode", MODES)
def test_samples_of_one_element_have_no_variance(mode):
    x = np.array([[0.0], [1e-3], [-1e-3], [0.1]])
    _, dx = value_and_gradient(normalized_approx_sign, x, np.ones_like(x), mode)
    deviation = math.sqrt(1e-5)
    expected = np.maximum(2 - 2 * np.abs(x) / deviation, 0) / deviation
    np.testing.assert_allclose(dx, expected, rtol=1e-12)  # float64


@pytest.mark.parametrize("shape", [(0, 3, 3, 2), (2, 0)])
def test_nothing_comes_of_nothing(shape):
    x = np.zeros(shape, np.float32)
    y, dx = value_and_gradient(normalized_approx_sign, x, x)
    assert y.shape == dx.shape == shape


def test_sizes_may_be_unknown_while_tracing():
    x, dy = _activations(0, (4, 6, 5, 3))

    @tf.function(input_signature=[tf.TensorSpec([None] * 4, tf.float64)] * 2)
    def gradient(x, dy):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = normalized_approx_sign(x)
        return tape.gradient(y, x, output_gradients=dy)

    _, expected = value_and_gradient(normalized_approx_sign, x, dy)
    # only the order of float64 sums may differ
    np.testing.assert_allclose(gradient(x, dy), expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("x", [1.0, [1.0, -2.0]])
def test_activations_without_samples(x):
    shape = str(np.shape(x)).replace("(", r"\(").replace(")", r"\)")
    message = rf"Expected activations of shape \[N, ...\], got {shape}"
    with pytest.raises(ValueError, match=message):
        normalized_approx_sign(x)


def test_activations_of_unknown_rank():
    function = tf.function(
        normalized_approx_sign, input_signature=[tf.TensorSpec(None)]
    )
    with pytest.raises(ValueError, match="got <unknown>: each sample is normalised"):
        function(tf.ones((3, 4)))


@given(st.integers(1, 5), seeds)
def test_scaling_a_sample_hardly_changes_its_normalised_values(samples, seed):
    # by the share of 1e-5 in its variance
    x, dy = _activations(seed, (samples, 30))
    x = x / x.std(1, keepdims=True)
    slope = recu_oracle.approx_sign_slope(recu_oracle.normalize_samples(x))
    _, dx = value_and_gradient(normalized_approx_sign, x, dy)
    along = (dx * x).sum(1)
    normalized = recu_oracle.normalize_samples(x)
    variance = x.var(1, ddof=1)
    expected = (dy * slope * normalized).sum(1) * 1e-5 / (variance + 1e-5)
    np.testing.assert_allclose(along, expected, atol=1e-12)  # 30 float64 terms
