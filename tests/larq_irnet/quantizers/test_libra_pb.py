import math

import larq as lq
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from larq_irnet.quantizers import LibraPB, ede_sign, libra_pb
from tests.larq_irnet import oracle
from tests.larq_irnet.differentiation import MODES, value_and_gradient
from tests.larq_irnet.gaussian_kernels import gaussian_kernels, seeds


@st.composite
def kernels(draw, dtype="float64", min_elements=3):
    """A kernel that no rounding can tip over.

    Filters of two elements are left out by default: all of them are rounding ties.
    """
    w, filter_axes, axes = draw(gaussian_kernels(dtype, min_elements))
    assume(_is_far_from_thresholds(np.float64(w), axes))
    return w, filter_axes, axes


def _is_far_from_thresholds(w, axes):
    # float32 statistics are off by less than 1e-5 for these sizes
    what, _ = oracle.standardize(w, axes)
    from_tie = np.abs(oracle.log2_magnitude(w, axes) % 1.0 - 0.5)
    return np.abs(what).min() > 1e-4 and from_tie.min() > 1e-4


def _constants(rng):
    t = 10.0 ** rng.uniform(-3, 1)
    return t, max(1 / t, 1.0)


def _libra_pb(w, t, k, filter_axes, dy):
    """The package's value and gradient, with constants that are not rounded."""
    t, k = tf.constant(t, tf.float64), tf.constant(k, tf.float64)
    return value_and_gradient(
        lambda w: libra_pb(w, t, k, filter_axes=filter_axes), w, dy
    )


def _largest_term(w, t, k, dy, axes):
    """The size of the terms that cancel in the gradient of each filter."""
    what, sigma = oracle.standardize(w, axes)
    g = oracle.ede_gradient(what, dy, t, k)
    return np.abs(g).max(axes, keepdims=True) / sigma


# Errors relative to the largest term: n <= 100 summands, each off by a few roundings,
# and w / sigma <= 300 because the mean need not be zero.
@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-9), ("float32", 1e-4)])
@given(st.data(), seeds)
def test_value_and_gradient_agree_with_the_oracle(dtype, tolerance, data, seed):
    w, filter_axes, axes = data.draw(kernels(dtype))
    rng = np.random.default_rng(seed)
    dy, (t, k) = rng.normal(size=w.shape).astype(dtype), _constants(rng)
    q, dw = _libra_pb(w, t, k, filter_axes, dy)
    w, dy = np.float64(w), np.float64(dy)
    assert q.dtype == dw.dtype == dtype
    np.testing.assert_array_equal(q, oracle.libra_pb(w, axes))
    error = np.abs(dw - oracle.libra_pb_gradient(w, dy, t, k, axes))
    assert (error <= tolerance * _largest_term(w, t, k, dy, axes)).all()


def _plain_libra_pb(w, t, k, axes):
    """Libra-PB in plain TensorFlow: only the sign has a gradient of its own."""

    @tf.custom_gradient
    def sign(x):
        return tf.where(x < 0, -tf.ones_like(x), tf.ones_like(x)), (
            lambda dy: dy * k * t * (1 - tf.tanh(t * x) ** 2)
        )

    c = w - tf.reduce_mean(w, axes, keepdims=True)
    n = math.prod(w.shape[axis] for axis in axes)
    what = c / tf.sqrt(tf.reduce_sum(c**2, axes, keepdims=True) / (n - 1))
    log2 = tf.math.log(tf.reduce_mean(tf.abs(what), axes, keepdims=True)) / np.log(2)
    return sign(what) * tf.stop_gradient(2 ** tf.round(log2))


@given(kernels(), seeds)
def test_gradient_agrees_with_automatic_differentiation(kernel, seed):
    w, filter_axes, axes = kernel
    rng = np.random.default_rng(seed)
    dy, (t, k) = rng.normal(size=w.shape), _constants(rng)
    q, dw = _libra_pb(w, t, k, filter_axes, dy)
    plain = value_and_gradient(lambda w: _plain_libra_pb(w, t, k, axes), w, dy)
    np.testing.assert_array_equal(q, plain[0])
    # both in float64, by different sums over up to 100 elements
    error = np.abs(dw - plain[1])
    assert (error <= 1e-9 * _largest_term(w, t, k, dy, axes)).all()


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@given(st.data(), seeds)
def test_half_precision_rounds_only_the_results(dtype, data, seed):
    w, filter_axes, _ = data.draw(kernels("float32"))
    dy = np.random.default_rng(seed).normal(size=w.shape)
    w, dy = tf.cast(w, dtype), tf.cast(dy, dtype)
    q, dw = _libra_pb(w, 0.5, 2.0, filter_axes, dy)
    expected = _libra_pb(
        tf.cast(w, tf.float32), 0.5, 2.0, filter_axes, tf.cast(dy, tf.float32)
    )
    np.testing.assert_array_equal(q, tf.cast(expected[0], dtype))
    np.testing.assert_array_equal(dw, tf.saturate_cast(expected[1], dtype))


def test_python_constants_are_not_rounded_to_float32():
    w = np.array([[0.1], [-0.7], [1.9], [0.4]])
    dy = np.array([[1.0], [2.0], [-1.0], [0.5]])
    _, dw = value_and_gradient(lambda w: libra_pb(w, 0.3, 1 / 0.3), w, dy)
    expected = oracle.libra_pb_gradient(w, dy, 0.3, 1 / 0.3, (0,))
    # a few roundings of float64; constants rounded to float32 are off by 1e-8
    np.testing.assert_allclose(dw, expected, rtol=1e-12)


@given(
    hnp.arrays(
        np.float32,
        st.tuples(st.integers(2, 9), st.integers(1, 4)),
        elements=st.floats(-1e4, 1e4, width=32),
    )
)
def test_each_filter_is_a_sign_times_a_power_of_two(w):
    scales = np.abs(libra_pb(w).numpy())
    np.testing.assert_array_equal(scales, np.broadcast_to(scales[:1], w.shape))
    mantissas, exponents = np.frexp(scales)
    assert (mantissas == 0.5).all()
    assert (exponents <= 1).all()  # 2^s <= 1: mean |what| is at most its deviation


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_small_scales_are_exact_powers_of_two(dtype, mode):
    w = np.full((4096, 6), 1e-3, dtype)
    w[::2] *= -1
    w[0] = 10.0 ** np.arange(-4, 2)  # ever heavier tails
    scales = np.abs(MODES[mode](libra_pb)(tf.constant(w)).numpy()).max(0)
    np.testing.assert_array_equal(scales, np.abs(oracle.libra_pb(w, (0,))).max(0))
    assert scales.min() == 2.0**-5


@given(kernels(), st.floats(1e-3, 1e3), st.floats(-10, 10))
def test_value_is_invariant_to_shift_and_positive_scale(kernel, c1, c2):
    w, filter_axes, _ = kernel
    q = libra_pb(w, filter_axes=filter_axes).numpy()
    moved = libra_pb(c1 * w + c2, filter_axes=filter_axes).numpy()
    np.testing.assert_array_equal(q, moved)


@given(kernels(min_elements=2), seeds)
def test_gradient_is_orthogonal_to_constants_and_to_the_centred_filter(kernel, seed):
    w, filter_axes, axes = kernel
    rng = np.random.default_rng(seed)
    dy, (t, k) = rng.normal(size=w.shape), _constants(rng)
    _, dw = _libra_pb(w, t, k, filter_axes, dy)
    what, _ = oracle.standardize(w, axes)
    # sums of up to 100 terms that cancel
    bound = 1e-9 * _largest_term(w, t, k, dy, axes)
    assert (np.abs(dw.sum(axes, keepdims=True)) <= bound).all()
    assert (np.abs((dw * what).sum(axes, keepdims=True)) <= bound).all()


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_ties_of_the_exponent_round_to_even(dtype, mode):
    # Two elements are always +-1/sqrt(2) after standardisation: s = round(-1/2) = 0.
    w = np.random.default_rng(0).normal(size=(2, 200)).astype(dtype)
    w[:, 0] = [-1.0, 1.0]
    q = MODES[mode](libra_pb)(tf.constant(w)).numpy()
    np.testing.assert_array_equal(q, np.where(w < w[::-1], -1.0, 1.0))


@pytest.mark.parametrize("shape", [(1, 5), (1, 1, 3, 2)])
def test_filter_of_one_element_is_binarized_by_ede(shape):
    filter_axes = tuple(range(-len(shape) // 2, 0))
    rng = np.random.default_rng(0)
    w, dy = (rng.normal(size=shape).astype("float32") for _ in range(2))
    actual = value_and_gradient(
        lambda w: libra_pb(w, 0.5, 2.0, filter_axes=filter_axes), w, dy
    )
    expected = value_and_gradient(lambda w: ede_sign(w, 0.5, 2.0), w, dy)
    np.testing.assert_array_equal(actual, expected)


@pytest.mark.parametrize("value", [0.0, 0.3, -7.0])
def test_constant_filter_is_positive_and_its_gradient_is_centred(value):
    w = np.full((3, 3, 2, 4), value, np.float32)
    dy = np.random.default_rng(0).normal(size=w.shape).astype("float32")
    q, dw = value_and_gradient(lambda w: libra_pb(w, 0.5, 2.0), w, dy)
    np.testing.assert_array_equal(q, np.ones_like(w))
    # float32 mean over 18 elements of order 1
    np.testing.assert_allclose(dw, dy - dy.mean((0, 1, 2)), atol=1e-6)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("value", [0.3, -7.0, 1e8])
def test_filter_that_is_constant_up_to_rounding_counts_as_constant(dtype, value):
    w = np.full((9, 2), value, dtype)
    w[::2] = np.nextafter(w[::2], np.zeros_like(w[::2]))
    np.testing.assert_array_equal(libra_pb(w), np.ones_like(w))


def test_no_gradient_flows_to_the_constants():
    t, k = tf.constant(0.5), tf.constant(2.0)
    w = tf.constant([[0.1], [-0.2], [0.4]])
    with tf.GradientTape() as tape:
        tape.watch([t, k, w])
        q = libra_pb(w, t, k)
    dt, dk, dw = tape.gradient(q, [t, k, w])
    assert (dt, dk) == (None, None)
    assert dw is not None


@pytest.mark.parametrize("filter_axes", [(2,), (-3,), (-1, 5)])
def test_filter_axes_out_of_range(filter_axes):
    with pytest.raises(ValueError, match="`filter_axes` within the 2 axes"):
        libra_pb(tf.ones((3, 4)), filter_axes=filter_axes)


def test_positive_and_negative_filter_axes_mean_the_same():
    w = np.random.default_rng(0).normal(size=(3, 3, 2, 4))
    np.testing.assert_array_equal(
        libra_pb(w, filter_axes=(2, 3)), libra_pb(w, filter_axes=(-1, -2))
    )


@pytest.mark.parametrize("shape", [(None, 4), None])
def test_unknown_shape(shape):
    function = tf.function(libra_pb, input_signature=[tf.TensorSpec(shape)])
    with pytest.raises(ValueError, match="Expected a kernel of static shape"):
        function(tf.ones((3, 4)))


@pytest.mark.parametrize("progress", [0.0, 0.6, 1.0])
def test_quantizer_follows_its_progress(progress):
    quantizer = LibraPB(t_min=0.05, t_max=5.0, filter_axes=(-2, -1))
    quantizer.progress.assign(progress)
    rng = np.random.default_rng(0)
    w, dy = (rng.normal(size=(3, 3, 2, 2)).astype("float32") for _ in range(2))
    q, dw = value_and_gradient(quantizer, w, dy)
    t, k = oracle.ede_schedule(progress, 0.05, 5.0)
    np.testing.assert_array_equal(q, oracle.libra_pb(np.float64(w), (0, 1)))
    # float32 sums over 9 elements, and the rounding of exp in t
    expected = oracle.libra_pb_gradient(np.float64(w), dy, t, k, (0, 1))
    np.testing.assert_allclose(dw, expected, rtol=0, atol=1e-5)


def test_larq_depthwise_layer_takes_an_instance():
    layer = lq.layers.QuantDepthwiseConv2D(
        3, depthwise_quantizer=LibraPB(filter_axes=(-2, -1)), use_bias=False
    )
    layer.build((None, 8, 8, 4))
    with lq.context.quantized_scope(True):
        binary = layer.get_weights()[0]
    latent = np.float64(layer.get_weights()[0])
    np.testing.assert_array_equal(binary, oracle.libra_pb(latent, (0, 1)))
