import larq as lq
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from larq_irnet.constraints import BalancedStandardized
from tests.larq_irnet import oracle
from tests.larq_irnet.differentiation import MODES

# shape and filter axes of dense, convolution, depthwise and transposed kernels
KERNELS = [
    ((7, 4), (-1,)),
    ((3, 3, 4, 5), (-1,)),
    ((3, 3, 4, 2), (-2, -1)),
    ((3, 3, 5, 4), (-2,)),
]
kernels = pytest.mark.parametrize(("shape", "filter_axes"), KERNELS)


# n <= 36 summands with w / sigma <= 300; in half precision only the result is rounded
@pytest.mark.parametrize(
    ("dtype", "tolerance"),
    [("float64", 1e-9), ("float32", 1e-4), ("float16", 5e-3), ("bfloat16", 4e-2)],
)
@kernels
@given(st.integers(0, 2**32 - 1), st.floats(-1, 1))
def test_projection_agrees_with_the_oracle(
    shape, filter_axes, dtype, tolerance, seed, mean
):
    w = tf.cast(np.random.default_rng(seed).normal(mean, size=shape), dtype)
    actual = BalancedStandardized(filter_axes=filter_axes)(w)
    axes = oracle.reduced_axes(len(shape), filter_axes)
    expected, _ = oracle.standardize(np.float64(w), axes)
    assert actual.dtype == dtype
    np.testing.assert_allclose(
        np.float64(actual), expected, rtol=tolerance, atol=tolerance
    )


@kernels
def test_filters_have_zero_mean_and_unit_deviation(shape, filter_axes):
    w = np.random.default_rng(0).normal(3.0, 2.0, shape)
    actual = BalancedStandardized(filter_axes=filter_axes)(w).numpy()
    axes = oracle.reduced_axes(len(shape), filter_axes)
    # float64 sums over at most 36 elements
    np.testing.assert_allclose(actual.mean(axes), 0.0, atol=1e-14)
    np.testing.assert_allclose(actual.std(axes, ddof=1), 1.0, rtol=1e-14)


@kernels
def test_projecting_twice_changes_nothing(shape, filter_axes):
    constraint = BalancedStandardized(filter_axes=filter_axes)
    once = constraint(np.random.default_rng(0).normal(size=shape))
    # float64 rounding
    np.testing.assert_allclose(constraint(once), once, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_constant_filters_become_zero(dtype, mode):
    w = tf.repeat(tf.constant([[0.0, 0.3, -700.0, 1e-6]], dtype), 5, axis=0)
    actual = MODES[mode](BalancedStandardized())(w)
    np.testing.assert_array_equal(np.float64(actual), np.zeros(w.shape))


@pytest.mark.parametrize("magnitude", [1e30, 1e-30, 1e-45])
def test_extreme_weights_stay_finite(magnitude):
    w = np.array([[1.0], [-1.0], [3.0]], np.float32) * np.float32(magnitude)
    assert np.isfinite(BalancedStandardized()(w)).all()


def test_nan_stays_in_its_filter():
    actual = BalancedStandardized()(np.array([[1.0, 2.0], [np.nan, 3.0]])).numpy()
    np.testing.assert_array_equal(np.isnan(actual), [[True, False]] * 2)


@pytest.mark.parametrize(
    ("shape", "filter_axes"), [((1, 4), (-1,)), ((1, 1, 3, 2), (-2, -1))]
)
def test_filters_of_one_element_are_untouched(shape, filter_axes):
    w = np.random.default_rng(0).normal(size=shape)
    actual = BalancedStandardized(filter_axes=filter_axes)(w)
    np.testing.assert_array_equal(actual, w)


def test_filter_axes_out_of_range():
    with pytest.raises(ValueError, match="`filter_axes` within the 2 axes"):
        BalancedStandardized(filter_axes=(-3,))(tf.ones((3, 4)))


@pytest.mark.parametrize("filter_axes", [(-1,), [-2, -1]])
def test_config_round_trips_exactly(filter_axes):
    constraint = BalancedStandardized(filter_axes=filter_axes)
    config = constraint.get_config()
    assert config == {"filter_axes": list(filter_axes)}
    assert BalancedStandardized.from_config(config).get_config() == config


def test_alias_in_a_larq_layer_and_in_fit():
    layer = lq.layers.QuantDense(
        3,
        kernel_quantizer="ste_sign",
        kernel_constraint="balanced_standardized",
        input_shape=(16,),
    )
    assert type(layer.kernel_constraint) is BalancedStandardized
    model = tf.keras.Sequential([layer])
    model.compile(tf.keras.optimizers.SGD(0.1), "mse")
    x = np.random.default_rng(0).normal(size=(8, 16)).astype("float32")
    before = layer.get_weights()[0]
    model.fit(x, x[:, :3], batch_size=4, verbose=0)
    after = layer.get_weights()[0]
    assert np.abs(after - before).max() > 0.1
    # float32 sums over 16 elements
    np.testing.assert_allclose(after.mean(0), 0.0, atol=1e-6)
    np.testing.assert_allclose(after.std(0, ddof=1), 1.0, rtol=1e-6)
