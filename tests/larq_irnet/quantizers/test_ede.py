import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from larq_irnet.quantizers import EDESign, ede_schedule, ede_sign
from tests.larq_irnet import oracle
from tests.larq_irnet.differentiation import value_and_gradient

# Rounding of tanh and of three products; in float64 what the project promises.
TOLERANCES = {"float64": 1e-9, "float32": 1e-6, "float16": 4e-3, "bfloat16": 3e-2}

shapes = hnp.array_shapes(min_dims=0, max_dims=4, max_side=5)
seeds = st.integers(0, 2**32 - 1)
steepnesses = st.floats(1e-3, 10.0)


def _slope_at_zero(t, k):
    _, slope = value_and_gradient(
        lambda x: ede_sign(x, t, k), tf.zeros((), t.dtype), tf.ones((), t.dtype)
    )
    return slope


@pytest.mark.parametrize("dtype", TOLERANCES)
@given(shapes, seeds, steepnesses)
def test_signs_and_gradient_agree_with_the_oracle(dtype, shape, seed, t):
    rng = np.random.default_rng(seed)
    x, dy = (tf.cast(rng.normal(0, 2, shape), dtype) for _ in range(2))
    k = max(1 / t, 1.0)
    y, dx = value_and_gradient(
        lambda x: ede_sign(x, tf.constant(t, tf.float64), tf.constant(k, tf.float64)),
        x,
        dy,
    )
    x, dy = (np.float64(v) for v in (x, dy))
    assert y.dtype == dx.dtype == tf.as_dtype(dtype).as_numpy_dtype
    np.testing.assert_array_equal(np.float64(y), np.where(x < 0, -1.0, 1.0))
    # half precision rounds t * x as well: the error grows with the slope, at most t
    np.testing.assert_allclose(
        np.float64(dx),
        oracle.ede_gradient(x, dy, t, k),
        rtol=0,
        atol=TOLERANCES[dtype] * max(t, 1.0) * np.abs(dy).max() * 2,
    )


def test_python_constants_are_not_rounded_to_float32():
    x = np.array([-1.5, 0.3, 2.0])
    t, k = 0.3, 1 / 0.3
    _, dx = value_and_gradient(lambda x: ede_sign(x, t, k), x, np.ones(3))
    # a few roundings of float64; constants rounded to float32 are off by 1e-8
    np.testing.assert_allclose(dx, oracle.ede_gradient(x, 1.0, t, k), rtol=1e-12)


def test_zero_is_positive_whatever_its_sign():
    assert ede_sign([0.0, -0.0]).numpy().tolist() == [1.0, 1.0]


@given(st.floats(0.0, 1.0), st.floats(1e-3, 1.0), st.floats(1.0, 20.0))
def test_slope_at_zero_is_one_and_then_t(progress, t_min, t_max):
    t, k = ede_schedule(tf.constant(progress, tf.float64), t_min, t_max)
    # 1/t * t is one but for two roundings
    np.testing.assert_allclose(_slope_at_zero(t, k), max(t.numpy(), 1.0), rtol=5e-16)


@pytest.mark.parametrize("t", [2.0**-10, 0.125, 0.5, 1.0])
def test_slope_at_zero_is_exactly_one_where_the_inverse_is_exact(t):
    t = tf.constant(t)
    assert _slope_at_zero(t, 1.0 / t) == 1.0


@pytest.mark.parametrize(
    ("t_min", "progress", "t", "k"),
    [
        (1e-1, 0.0, 0.1, 10.0),
        (1e-1, 0.25, 0.316, 3.16),
        (1e-1, 0.5, 1.0, 1.0),
        (1e-1, 0.75, 3.16, 1.0),
        (1e-1, 399 / 400, 9.886, 1.0),
        (1e-3, 0.0, 0.001, 1000.0),
        (1e-3, 0.25, 0.01, 100.0),
        (1e-3, 0.5, 0.1, 10.0),
        (1e-3, 0.75, 1.0, 1.0),
        (1e-3, 399 / 400, 9.772, 1.0),
    ],
)
def test_published_schedule(t_min, progress, t, k):
    actual = ede_schedule(tf.constant(progress, tf.float64), t_min, 10.0)
    # published to three or four digits
    np.testing.assert_allclose(actual, (t, k), rtol=1e-3)
    # a handful of float64 roundings against another form of the same equation
    np.testing.assert_allclose(
        actual, oracle.ede_schedule(progress, t_min, 10.0), rtol=1e-13
    )


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_schedule_has_the_dtype_of_progress(dtype):
    t, k = ede_schedule(tf.constant(0.3, dtype))
    assert t.dtype == k.dtype == dtype
    assert t.shape == k.shape == ()


@pytest.mark.parametrize(("progress", "t"), [(0, 0.1), (1, 10.0)])
def test_progress_may_be_an_integer(progress, t):
    # float32
    assert float(ede_schedule(progress)[0]) == pytest.approx(t, rel=1e-6)


def test_constants_may_be_integers():
    x = np.array([-0.5, 0.0, 2.0], np.float32)
    _, mixed = value_and_gradient(lambda x: ede_sign(x, 2, 0.5), x, np.ones_like(x))
    # float32 tanh, near one
    np.testing.assert_allclose(mixed, oracle.ede_gradient(x, 1.0, 2, 0.5), atol=1e-6)


@pytest.mark.parametrize("make", [tf.constant, tf.Variable])
def test_no_gradient_flows_to_the_constants(make):
    t, k = make(0.5), make(2.0)
    with tf.GradientTape(persistent=True) as tape:
        tape.watch([t, k])
        x = tf.constant([0.1, -0.2])
        tape.watch(x)
        y = ede_sign(x, t, k)
    assert tape.gradient(y, [t, k]) == [None, None]
    assert tape.gradient(y, x) is not None


@pytest.mark.parametrize("progress", [0.0, 0.3, 0.75, 1.0])
def test_quantizer_follows_its_progress(progress):
    quantizer = EDESign(t_min=0.05, t_max=5.0)
    quantizer.progress.assign(progress)
    x = np.linspace(-3, 3, 13, dtype=np.float32)
    y, dx = value_and_gradient(quantizer, x, np.ones_like(x))
    t, k = oracle.ede_schedule(progress, 0.05, 5.0)
    np.testing.assert_array_equal(y, np.where(x < 0, -1.0, 1.0))
    # rounding of exp in t, enlarged by t * x <= 15, then of tanh
    np.testing.assert_allclose(dx, oracle.ede_gradient(x, 1.0, t, k), atol=1e-5)


def test_quantizer_with_equal_bounds_keeps_its_constants():
    quantizer = EDESign(t_min=2.0, t_max=2.0)
    quantizer.progress.assign(0.7)
    schedule = quantizer.schedule()
    assert {name: float(v) for name, v in schedule.items()} == {"t": 2.0, "k": 1.0}
