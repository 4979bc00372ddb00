import numpy as np
import pytest
import tensorflow as tf
from hypothesis import assume, given
from hypothesis import strategies as st

from larq_irnet.quantizers import IMB, dte_sign, imb, libra_pb
from tests.larq_irnet import dirnet_oracle, oracle
from tests.larq_irnet.differentiation import MODES, value_and_gradient
from tests.larq_irnet.gaussian_kernels import gaussian_kernels, seeds


@given(
    gaussian_kernels(min_elements=3),
    seeds,
    st.floats(1e-2, 50.0),
    st.floats(0.01, 1.0),
    st.floats(0.2, 3.0),
)
def test_value_and_gradient_agree_with_the_oracle(kernel, seed, t, epsilon, band):
    w, filter_axes, axes = kernel
    what, sigma = oracle.standardize(w, axes)
    from_tie = np.abs(oracle.log2_magnitude(w, axes) % 1.0 - 0.5)
    assume(np.abs(what).min() > 1e-4 and from_tie.min() > 1e-4)
    dy = np.random.default_rng(seed).normal(size=w.shape)
    q, dw = value_and_gradient(
        lambda w: imb(
            w,
            tf.constant(t, tf.float64),
            epsilon=epsilon,
            band=band,
            filter_axes=filter_axes,
        ),
        w,
        dy,
    )
    np.testing.assert_array_equal(q, oracle.libra_pb(w, axes))
    expected = dirnet_oracle.imb_gradient(w, dy, t, epsilon, band, axes)
    # n <= 100 summands that cancel, of the size of the largest term
    scale = np.abs(dy).max() * max(t, 1.0) / sigma.min()
    np.testing.assert_allclose(dw, expected, rtol=0, atol=1e-9 * scale)


@given(gaussian_kernels(min_elements=3), seeds)
def test_before_the_cap_it_is_libra_pb(kernel, seed):
    w, filter_axes, _ = kernel
    dy = np.random.default_rng(seed).normal(size=w.shape)
    # within ten deviations lies more than half of any standardised filter
    actual = value_and_gradient(
        lambda w: imb(w, 0.1, epsilon=0.5, filter_axes=filter_axes), w, dy
    )
    expected = value_and_gradient(
        lambda w: libra_pb(w, 0.1, 10.0, filter_axes=filter_axes), w, dy
    )
    np.testing.assert_array_equal(actual[0], expected[0])
    # the same operations, but for the inverse of t
    np.testing.assert_allclose(actual[1], expected[1], rtol=1e-12, atol=1e-300)


@pytest.mark.parametrize("mode", MODES)
def test_without_shift_scale_kernels_are_signs(mode):
    w = np.random.default_rng(0).laplace(size=(64, 5))
    dy = np.random.default_rng(1).normal(size=w.shape)
    plain = value_and_gradient(lambda w: imb(w, shift_scale=False), w, dy, mode)
    scaled = value_and_gradient(imb, w, dy, mode)
    scale = np.abs(scaled[0])
    np.testing.assert_array_equal(plain[0], np.sign(scaled[0]))
    assert scale.min() == 0.5
    np.testing.assert_allclose(plain[1] * scale, scaled[1], rtol=1e-12)


def test_filter_of_one_element_is_binarized_by_dte():
    rng = np.random.default_rng(0)
    w, dy = 100.0 * rng.normal(size=(2, 1, 5))
    actual = value_and_gradient(lambda w: imb(w, 5.0), w, dy)
    expected = value_and_gradient(lambda w: dte_sign(w, 5.0), w, dy)
    np.testing.assert_array_equal(actual, expected)


def test_distribution_is_that_of_the_standardised_kernel():
    quantizer = IMB(moving=True, epsilon=0.5, filter_axes=(-1,))
    w = np.random.default_rng(0).normal(7.0, 100.0, (9, 4))
    quantizer(tf.constant(w, tf.float32), training=True)
    what, _ = oracle.standardize(w, (0,))
    # float32 statistics of nine elements
    expected = np.sort(np.abs(what).ravel())[17]
    assert float(quantizer.moving_quantile) == pytest.approx(expected, rel=1e-5)


def test_moving_distribution_of_filters_of_one_element():
    quantizer = IMB(moving=True, epsilon=1.0)
    quantizer(tf.constant([[3.0, -5.0]]), training=True)
    assert float(quantizer.moving_quantile) == 5.0


@pytest.mark.parametrize("progress", [0.0, 0.6, 1.0])
def test_quantizer_follows_its_progress(progress):
    quantizer = IMB(t_min=0.05, t_max=50.0, epsilon=0.4, filter_axes=(-2, -1))
    quantizer.progress.assign(progress)
    rng = np.random.default_rng(0)
    w, dy = (rng.normal(size=(3, 3, 2, 2)).astype("float32") for _ in range(2))
    q, dw = value_and_gradient(quantizer, w, dy)
    t, _ = oracle.ede_schedule(progress, 0.05, 50.0)
    np.testing.assert_array_equal(q, oracle.libra_pb(np.float64(w), (0, 1)))
    expected = dirnet_oracle.imb_gradient(np.float64(w), dy, t, 0.4, 1.0, (0, 1))
    # float32 sums over 9 elements, and the rounding of exp in t
    np.testing.assert_allclose(dw, expected, rtol=0, atol=2e-5)
