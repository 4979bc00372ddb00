"""No NaN and no Inf is ever made from finite input, and NaN is never hidden."""

import numpy as np
import pytest
import tensorflow as tf

from larq_irnet.quantizers import (
    dte_sign,
    ede_sign,
    imb,
    libra_pb,
    normalized_approx_sign,
    recu_scale,
    recu_sign,
)
from tests.larq_irnet.differentiation import MODES, value_and_gradient

every_kernel_quantizer = pytest.mark.parametrize(
    "quantizer", [imb, libra_pb, recu_sign]
)

DTYPES = ["float16", "bfloat16", "float32", "float64"]

SIGNS = np.array([1.0, -1.0, -1.0, 1.0, -1.0, 1.0])
FILTERS = {  # by dtype what "huge" and "tiny" are
    "float16": (6e4, 6e-8),
    "bfloat16": (1e30, 1e-30),
    "float32": (1e30, 1e-30),
    "float64": (1e300, 1e-300),
}
DENORMALS = {"float16": 6e-8, "bfloat16": 1e-40, "float32": 1e-45, "float64": 5e-324}


def _hostile_kernel(dtype):
    """One filter per column."""
    huge, tiny = FILTERS[dtype]
    nearly_constant = np.ones(6)
    nearly_constant[2] += 2.0**-23
    columns = [
        np.zeros(6),
        np.full(6, 0.3),
        np.full(6, huge),
        np.full(6, tiny),
        huge * SIGNS,
        tiny * SIGNS,
        DENORMALS[dtype] * SIGNS,
        1e-3 * SIGNS,
        np.where(SIGNS > 0, huge, tiny),
        np.array([huge, 0, 0, 0, 0, 0]),
        np.array([tiny, 0, 0, 0, 0, 0]),
        nearly_constant,
        np.arange(6.0),
    ]
    return tf.cast(np.stack(columns, 1), dtype)


@pytest.mark.parametrize("t", [1e-3, 1.0, 10.0])
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(
    "quantizer",
    [lambda w, t: libra_pb(w, t, max(1 / t, 1.0)), imb],
    ids=["libra_pb", "imb"],
)
def test_scaled_filters_stay_finite(quantizer, dtype, mode, t):
    w = _hostile_kernel(dtype)
    dy = np.random.default_rng(0).normal(size=w.shape)
    q, dw = value_and_gradient(lambda w: quantizer(w, t), w, tf.cast(dy, dtype), mode)
    q, dw = q.astype(np.float64), dw.astype(np.float64)
    assert np.isfinite(dw).all()
    np.testing.assert_array_equal(np.abs(q), np.abs(q[:1]) + np.zeros_like(q))
    assert ((np.abs(q[0]) > 0) & (np.abs(q[0]) <= 1)).all()


@pytest.mark.parametrize("tau", [0.5, 0.85, 1.0])
@pytest.mark.parametrize("centered", [True, False])
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("dtype", DTYPES)
def test_recu_stays_finite(dtype, mode, centered, tau):
    w = _hostile_kernel(dtype)
    dy = np.random.default_rng(0).normal(size=w.shape)
    q, dw = value_and_gradient(
        lambda w: recu_sign(w, tau, centered=centered), w, tf.cast(dy, dtype), mode
    )
    assert np.isfinite(np.float64(dw)).all()
    assert np.isin(np.float64(q), (-1.0, 1.0)).all()
    scale = MODES[mode](lambda w: recu_scale(w, tau, centered=centered))(w)
    assert 0.0 <= np.float64(scale) < np.inf


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("dtype", DTYPES)
@every_kernel_quantizer
def test_all_zero_kernel(quantizer, dtype, mode):
    w = tf.zeros((3, 3, 4, 5), dtype)
    q, dw = value_and_gradient(quantizer, w, tf.ones_like(w), mode)
    np.testing.assert_array_equal(q, np.ones(w.shape))
    # the gradient of a constant filter is centred; dy is constant: only rounding
    # stays, times 894 in ReCU, one over its smallest deviation
    np.testing.assert_allclose(np.float64(dw), 0.0, atol=1e-3)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("dtype", DTYPES)
@every_kernel_quantizer
def test_nan_makes_its_own_filter_nan_and_no_other(quantizer, dtype, mode):
    rng = np.random.default_rng(0)
    w, dy = (tf.cast(rng.normal(size=(6, 3)), dtype) for _ in range(2))
    with_nan = w.numpy()
    with_nan[2, 1] = np.nan
    q, dw = value_and_gradient(quantizer, with_nan, dy, mode)
    assert np.isnan(np.float64(q[:, 1])).all()
    assert np.isnan(np.float64(dw[:, 1])).all()
    expected = value_and_gradient(quantizer, w, dy, mode)
    np.testing.assert_array_equal(q[:, ::2], expected[0][:, ::2])
    np.testing.assert_array_equal(dw[:, ::2], expected[1][:, ::2])


@pytest.mark.parametrize("dtype", DTYPES)
def test_nan_in_one_filter_does_not_stop_the_others(dtype):
    # the quantile of the layer is NaN then
    w = tf.constant([[1.0, np.nan], [-2.0, 1.0], [7.0, 1.0]], dtype)
    dy = tf.constant([[1.0, 1.0], [2.0, 2.0], [-1.0, 1.0]], dtype)
    q, dw = value_and_gradient(lambda w: recu_sign(w, 0.85), w, dy)
    np.testing.assert_array_equal(np.float64(q[:, 0]), [-1.0, -1.0, 1.0])
    assert (np.float64(dw[:, 0]) != 0.0).all()


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("dtype", DTYPES)
def test_nan_in_a_filter_of_one_element(dtype, mode):
    w = tf.constant([[1.0, np.nan, -2.0]], dtype)
    q, dw = value_and_gradient(libra_pb, w, tf.ones_like(w), mode)
    np.testing.assert_array_equal(np.float64(q), [[1.0, np.nan, -1.0]])
    np.testing.assert_array_equal(np.isnan(np.float64(dw)), [[False, True, False]])


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@every_kernel_quantizer
def test_gradient_beyond_the_range_saturates(quantizer, dtype):
    largest = float(tf.as_dtype(dtype).max)
    w = tf.cast(np.array([[6e-8], [-6e-8], [6e-8], [6e-8]]), dtype)
    dy = tf.cast(np.array([[1.0], [-1.0], [-1.0], [1.0]]) * largest / 4, dtype)
    _, dw = value_and_gradient(quantizer, w, dy)
    assert np.abs(np.float64(dw)).max() == largest


@pytest.mark.parametrize("t", [1e-3, 1.0, 10.0])
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("size", ["huge", "infinite"])
def test_dte_sign_stays_finite_where_the_cap_goes_to_zero(size, dtype, mode, t):
    x = np.full(6, FILTERS[dtype][0] if size == "huge" else np.inf) * SIGNS
    y, dx = value_and_gradient(
        lambda x: dte_sign(x, t, epsilon=0.5),
        tf.cast(x, dtype),
        tf.ones(6, dtype),
        mode,
    )
    np.testing.assert_array_equal(np.float64(y), SIGNS)
    # the slope of a window as wide as there can be
    assert ((0.0 <= np.float64(dx)) & (np.float64(dx) <= 1.01)).all()


@pytest.mark.parametrize("t", [1e-3, 1.0, 10.0])
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("dtype", DTYPES)
def test_ede_sign_stays_finite(dtype, mode, t):
    huge, tiny = FILTERS[dtype]
    x = np.array([0.0, huge, tiny, DENORMALS[dtype], np.inf, 1.0, np.nan])
    k = max(1 / t, 1.0)
    y, dx = value_and_gradient(
        lambda x: ede_sign(x, t, k),
        tf.cast(np.concatenate([x, -x]), dtype),
        tf.ones(14, dtype),
        mode,
    )
    y, dx = y.astype(np.float64), dx.astype(np.float64)
    is_nan = np.isnan(np.concatenate([x, x]))
    np.testing.assert_array_equal(np.isnan(y), is_nan)
    np.testing.assert_array_equal(np.isnan(dx), is_nan)
    assert np.isin(y[~is_nan], (-1.0, 1.0)).all()
    # never steeper than at zero; half precision rounds the slope itself
    assert ((dx[~is_nan] >= 0) & (dx[~is_nan] <= max(t, 1.0) * 1.01)).all()


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("dtype", DTYPES)
def test_normalized_approx_sign_stays_finite(dtype, mode):
    samples = tf.transpose(_hostile_kernel(dtype))
    dy = tf.cast(np.random.default_rng(0).normal(size=samples.shape), dtype)
    y, dx = value_and_gradient(normalized_approx_sign, samples, dy, mode)
    assert np.isin(np.float64(y), (-1.0, 1.0)).all()
    assert np.isfinite(np.float64(dx)).all()


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_activation_gradient_beyond_the_range_saturates(dtype):
    largest = float(tf.as_dtype(dtype).max)
    dy = tf.constant([[largest / 4, -largest / 4]], dtype)
    _, dx = value_and_gradient(normalized_approx_sign, tf.zeros((1, 2), dtype), dy)
    np.testing.assert_array_equal(np.float64(dx), [[largest, -largest]])


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("dtype", DTYPES)
def test_nan_stays_in_its_sample_and_element(dtype, mode, value):
    rng = np.random.default_rng(0)
    x, dy = (tf.cast(rng.normal(size=(3, 6)), dtype) for _ in range(2))
    spoilt = x.numpy()
    spoilt[1, 2] = value
    y, dx = value_and_gradient(normalized_approx_sign, spoilt, dy, mode)
    # a sign needs its element only, a gradient the deviation of its sample
    assert np.isnan(np.float64(y)).sum() == np.isnan(value)
    assert np.isnan(np.float64(dx[1])).all()
    expected = value_and_gradient(normalized_approx_sign, x, dy, mode)
    np.testing.assert_array_equal(dx[::2], expected[1][::2])
