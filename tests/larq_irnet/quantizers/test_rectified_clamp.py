import math

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import assume, given
from hypothesis import strategies as st

from larq_irnet.quantizers import ReCU, recu_scale, recu_sign
from tests.larq_irnet import oracle, recu_oracle
from tests.larq_irnet.complex_step import complex_step
from tests.larq_irnet.differentiation import MODES, value_and_gradient
from tests.larq_irnet.gaussian_kernels import gaussian_kernels, seeds

either_centring = pytest.mark.parametrize("centered", [True, False])


@st.composite
def kernels(draw, dtype="float64"):
    """A kernel and a quantile that no rounding can tip over, with all options."""
    w, filter_axes, axes = draw(gaussian_kernels(dtype))
    tau = draw(st.floats(0.55, 1.0))
    options = {"b_star": draw(st.floats(0.1, 10)), "centered": draw(st.booleans())}
    kernel = recu_oracle.normalize(np.float64(w), axes, **options)
    limit = recu_oracle.quantile(kernel, tau)
    # float32 statistics are off by less than 1e-5 of the deviation for these sizes
    tolerance = 1e-4 * options["b_star"]
    assume(np.abs(kernel).min() > tolerance)
    assume(np.abs(np.abs(kernel) - limit).min() > tolerance)
    return w, filter_axes, axes, tau, options


def _recu(w, tau, filter_axes, options, dy, mode="eager"):
    """The package's value and gradient, with a quantile that is not rounded."""
    tau = tf.constant(tau, tf.float64)
    return value_and_gradient(
        lambda w: recu_sign(w, tau, filter_axes=filter_axes, **options), w, dy, mode
    )


def _largest_terms(w, dy, axes, b_star, centered):
    """The sizes of the terms that cancel in the gradient of each filter."""
    c, deviation = recu_oracle.statistics(w, axes)
    kernel = recu_oracle.normalize(w, axes, b_star, centered)
    direct = np.abs(dy).max(axes, keepdims=True)
    along = np.abs(dy * kernel).sum(axes, keepdims=True) / (c.size // deviation.size)
    radial = np.abs(c / deviation).max(axes, keepdims=True) * along / b_star
    return b_star / deviation * (direct + radial)


# Errors relative to the largest terms: n <= 100 summands, each off by a few roundings,
# and w / sigma <= 300 because the mean need not be zero.
@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-9), ("float32", 1e-4)])
@given(st.data(), seeds)
def test_value_and_gradient_agree_with_the_oracle(dtype, tolerance, data, seed):
    w, filter_axes, axes, tau, options = data.draw(kernels(dtype))
    dy = np.random.default_rng(seed).normal(size=w.shape).astype(dtype)
    q, dw = _recu(w, tau, filter_axes, options, dy)
    w, dy = np.float64(w), np.float64(dy)
    assert q.dtype == dw.dtype == dtype
    np.testing.assert_array_equal(q, recu_oracle.recu(w, axes, options["centered"]))
    error = np.abs(dw - recu_oracle.recu_gradient(w, dy, tau, axes, **options))
    assert (error <= tolerance * _largest_terms(w, dy, axes, **options)).all()


@given(kernels(), seeds)
def test_gradient_agrees_with_numerical_differentiation(kernel, seed):
    w, filter_axes, axes, tau, options = kernel
    dy = np.random.default_rng(seed).normal(size=w.shape)
    _, dw = _recu(w, tau, filter_axes, options, dy)
    alive = recu_oracle.is_alive(w, tau, axes, **options)  # stays as it is
    expected = complex_step(
        lambda w: recu_oracle.normalize(w, axes, **options), w, dy * alive
    )
    # both in float64, by different sums over up to 100 elements
    error = np.abs(dw - expected)
    assert (error <= 1e-9 * _largest_terms(w, dy, axes, **options)).all()


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    ("dtype", "tolerance"), [("float64", 1e-12), ("float32", 1e-5)]
)
@pytest.mark.parametrize("filter_axes", [(-1,), (-2, -1), (-2,)])
@either_centring
def test_every_mode_agrees_with_the_oracle(
    centered, filter_axes, dtype, tolerance, mode
):
    rng = np.random.default_rng(0)
    w, dy = (rng.normal(size=(3, 3, 4, 5)).astype(dtype) for _ in range(2))
    options = {"b_star": 1.5, "centered": centered}
    q, dw = _recu(w, 0.8, filter_axes, options, dy, mode)
    w, dy = w.astype("float64"), dy.astype("float64")
    axes = oracle.reduced_axes(4, filter_axes)
    np.testing.assert_array_equal(q, recu_oracle.recu(w, axes, centered))
    expected = recu_oracle.recu_gradient(w, dy, 0.8, axes, **options)
    # sums over at most 45 elements of order one
    np.testing.assert_allclose(dw, expected, rtol=0, atol=tolerance)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@given(st.data(), seeds)
def test_half_precision_rounds_only_the_results(dtype, data, seed):
    w, filter_axes, _ = data.draw(gaussian_kernels("float32"))
    dy = np.random.default_rng(seed).normal(size=w.shape)
    w, dy = tf.cast(w, dtype), tf.cast(dy, dtype)
    q, dw = _recu(w, 0.85, filter_axes, {}, dy)
    wide = (tf.cast(x, tf.float32) for x in (w, dy))
    expected = _recu(next(wide), 0.85, filter_axes, {}, next(wide))
    np.testing.assert_array_equal(q, tf.cast(expected[0], dtype))
    np.testing.assert_array_equal(dw, tf.saturate_cast(expected[1], dtype))


@given(kernels(), st.floats(0.5, 1.0), st.floats(0.01, 100.0))
def test_values_depend_neither_on_tau_nor_on_b_star(kernel, tau, b_star):
    w, filter_axes, _, _, options = kernel
    plain = recu_sign(w, filter_axes=filter_axes, centered=options["centered"])
    other = {**options, "b_star": b_star}
    np.testing.assert_array_equal(
        plain, recu_sign(w, tau, filter_axes=filter_axes, **other)
    )


@given(kernels(), st.floats(1e-3, 1e3), st.floats(-10, 10))
def test_centred_values_are_invariant_to_shift_and_positive_scale(kernel, c1, c2):
    w, filter_axes, axes, _, _ = kernel
    c, _ = recu_oracle.statistics(w, axes)
    assume(np.abs(c1 * c).min() > 1e-12)  # beyond the rounding of what is added
    np.testing.assert_array_equal(
        recu_sign(w, filter_axes=filter_axes),
        recu_sign(c1 * w + c2, filter_axes=filter_axes),
    )


def test_only_centred_signs_are_those_of_a_filter_without_its_mean():
    w = np.array([[1.0], [2.0], [6.0]])
    np.testing.assert_array_equal(recu_sign(w), [[-1.0], [-1.0], [1.0]])
    np.testing.assert_array_equal(recu_sign(w, centered=False), np.ones((3, 1)))


@given(kernels(), seeds)
def test_centred_gradient_is_orthogonal_to_constants(kernel, seed):
    w, filter_axes, axes, tau, options = kernel
    options = {**options, "centered": True}
    dy = np.random.default_rng(seed).normal(size=w.shape)
    _, dw = _recu(w, tau, filter_axes, options, dy)
    # sums of up to 100 terms that cancel
    bound = 1e-9 * _largest_terms(w, dy, axes, **options)
    assert (np.abs(dw.sum(axes, keepdims=True)) <= bound).all()


def test_gradient_without_centring_is_not_orthogonal_to_constants():
    w = np.random.default_rng(0).normal(size=(30, 4))
    _, dw = _recu(w, 0.85, (-1,), {"centered": False}, np.ones_like(w))
    assert (np.abs(dw.sum(0)) > 1.0).all()


def _with_dead_weights(centered):
    rng = np.random.default_rng(0)
    w, dy = rng.laplace(0.1, 1.0, (3, 3, 4, 5)), rng.normal(size=(3, 3, 4, 5))
    alive = recu_oracle.is_alive(w, 0.85, (0, 1, 2), centered=centered)
    assert 0.05 < 1 - alive.mean() < 0.4  # some weights are dead, most are not
    return w, dy, alive


@either_centring
def test_dead_weights_have_no_gradient_of_their_own(centered):
    w, dy, alive = _with_dead_weights(centered)
    options = {"centered": centered}
    _, dw = _recu(w, 0.85, (-1,), options, np.where(alive, 0.0, dy))
    np.testing.assert_array_equal(dw, np.zeros_like(w))


@either_centring
def test_dead_weights_move_with_their_filter(centered):
    w, dy, alive = _with_dead_weights(centered)
    _, dw = _recu(w, 0.85, (-1,), {"centered": centered}, dy)
    c, deviation = recu_oracle.statistics(w, (0, 1, 2))
    g = 2 * np.sqrt(2) / deviation * dy * alive
    along = (g * (c if centered else w)).sum((0, 1, 2)) / deviation**2 / 35
    indirect = -c * along - (g.mean((0, 1, 2)) if centered else 0.0)
    # float64 sums over 36 elements of order one
    np.testing.assert_allclose(dw[~alive], indirect[~alive], rtol=1e-9, atol=1e-12)
    assert np.abs(dw[~alive]).max() > 0.1


def test_tau_of_one_clamps_nothing():
    w, dy, _ = _with_dead_weights(True)
    _, dw = _recu(w, 1.0, (-1,), {}, dy)
    expected = complex_step(lambda w: recu_oracle.normalize(w, (0, 1, 2)), w, dy)
    np.testing.assert_allclose(dw, expected, atol=1e-12)  # float64 sums


def test_tau_of_one_half_lets_only_zeros_through():
    w = np.array([[-4.0], [0.0], [2.0], [2.0]])  # of mean zero
    _, dw = _recu(w, 0.5, (-1,), {}, np.array([[5.0], [2.0], [5.0], [5.0]]))
    multiplier = 2 * np.sqrt(2) / recu_oracle.statistics(w, (0,))[1]
    expected = multiplier * np.array([[-0.5], [1.5], [-0.5], [-0.5]])
    np.testing.assert_allclose(dw, expected, rtol=1e-14)  # a few float64 roundings


def test_no_gradient_flows_to_tau_or_from_the_scale():
    w, tau = tf.constant([[0.1], [-0.2], [0.4]]), tf.constant(0.9)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch([w, tau])
        q = recu_sign(w, tau)
        scale = recu_scale(w, tau)
    assert tape.gradient(q, tau) is None
    assert tape.gradient(scale, [w, tau]) == [None, None]
    assert tape.gradient(q, w) is not None


@pytest.mark.parametrize("value", [0.0, 0.3, -7.0, 1e8])
@either_centring
def test_constant_filter(value, centered):
    w = np.full((3, 3, 2, 4), value, np.float32)
    dy = np.random.default_rng(0).normal(size=w.shape).astype("float32")
    q, dw = _recu(w, 1.0, (-1,), {"centered": centered}, dy)
    is_negative = not centered and value < 0
    np.testing.assert_array_equal(q, np.full_like(w, -1.0 if is_negative else 1.0))
    # its deviation is sqrt(1e-5), but at least what rounding makes of its magnitude
    deviation = max(np.sqrt(1e-5), 16 * np.finfo("float32").eps * abs(value))
    expected = (dy - dy.mean((0, 1, 2)) * centered) * 2 * np.sqrt(2) / deviation
    # float32 mean over 18 elements of order one
    np.testing.assert_allclose(dw * deviation, expected * deviation, atol=1e-5)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("value", [0.3, -7.0, 1e8])
def test_filter_that_is_constant_up_to_rounding_counts_as_constant(dtype, value):
    w = np.full((9, 2), value, dtype)
    w[::2] = np.nextafter(w[::2], np.zeros_like(w[::2]))
    np.testing.assert_array_equal(recu_sign(w), np.ones_like(w))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("magnitude", [1e-6, 1e-9, 1e-18])
def test_tiny_weights_keep_their_signs_and_get_a_bounded_gradient(magnitude, mode):
    rng = np.random.default_rng(0)
    w = (magnitude * rng.normal(size=(18, 3))).astype("float32")
    dy = rng.normal(size=w.shape).astype("float32")
    q, dw = _recu(w, 1.0, (-1,), {}, dy, mode)
    w = w.astype("float64")
    np.testing.assert_array_equal(q, recu_oracle.recu(w, (0,)))
    expected = recu_oracle.recu_gradient(w, dy, 1.0, (0,))
    # float32 sums over 18 elements, times 2 sqrt(2) / sqrt(1e-5) = 894
    np.testing.assert_allclose(dw, expected, rtol=1e-5, atol=1e-3)


@pytest.mark.parametrize("shape", [(1, 5), (1, 1, 3, 2)])
@either_centring
def test_filter_of_one_element_is_neither_centred_nor_scaled(shape, centered):
    filter_axes = tuple(range(-len(shape) // 2, 0))
    rng = np.random.default_rng(0)
    w, dy = (rng.normal(size=shape).astype("float32") for _ in range(2))
    q, dw = _recu(w, 0.7, filter_axes, {"centered": centered}, dy)
    np.testing.assert_array_equal(q, np.sign(w))
    alive = np.abs(w) <= recu_oracle.quantile(w, 0.7)
    assert 0 < alive.sum() < w.size
    np.testing.assert_array_equal(dw, np.where(alive, dy, 0.0))
    np.testing.assert_allclose(
        recu_scale(w, 1.0, filter_axes=filter_axes), np.abs(w).mean(), rtol=1e-6
    )


@pytest.mark.parametrize(
    "function", [recu_sign, lambda w, **o: recu_scale(w, 1.0, **o)]
)
@pytest.mark.parametrize("filter_axes", [(2,), (-3,), (-1, 5)])
def test_filter_axes_out_of_range(function, filter_axes):
    with pytest.raises(ValueError, match="`filter_axes` within the 2 axes"):
        function(tf.ones((3, 4)), filter_axes=filter_axes)


def test_positive_and_negative_filter_axes_mean_the_same():
    w = np.random.default_rng(0).normal(size=(3, 3, 2, 4))
    np.testing.assert_array_equal(
        recu_sign(w, filter_axes=(2, 3)), recu_sign(w, filter_axes=(-1, -2))
    )


@pytest.mark.parametrize("shape", [(None, 4), None])
def test_unknown_shape(shape):
    function = tf.function(recu_sign, input_signature=[tf.TensorSpec(shape)])
    with pytest.raises(ValueError, match="Expected a kernel of static shape"):
        function(tf.ones((3, 4)))


@pytest.mark.parametrize("b_star", [0.0, -2.0, math.inf, math.nan])
@pytest.mark.parametrize(
    "use", [recu_sign, lambda w, **o: recu_scale(w, 1.0, **o), lambda w, **o: ReCU(**o)]
)
def test_bad_b_star(use, b_star):
    message = f"Expected 0 < `b_star` < infinity, got {b_star}"
    with pytest.raises(ValueError, match=message):
        use(tf.ones((3, 4)), b_star=b_star)
