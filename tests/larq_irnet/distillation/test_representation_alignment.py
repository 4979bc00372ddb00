import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from larq_irnet.distillation import RepresentationAlignment, representation_distance
from tests.larq_irnet.complex_step import complex_step
from tests.larq_irnet.differentiation import MODES, value_and_gradient


def _distance(student, teacher, squared, per_sample):
    """From the equation, for real and complex numbers."""
    if squared:
        student, teacher = student**2, teacher**2
    axes = tuple(range(1, student.ndim)) if per_sample else None

    def norm(x):
        return np.sqrt((x**2).sum(axes, keepdims=True))

    return norm(student / norm(student) - teacher / norm(teacher)).mean()


@pytest.mark.parametrize("squared", [False, True])
@pytest.mark.parametrize("per_sample", [False, True])
@given(st.data(), st.integers(0, 2**32 - 1))
def test_value_and_gradient_agree_with_the_oracle(squared, per_sample, data, seed):
    rng = np.random.default_rng(seed)
    shape = data.draw(hnp.array_shapes(min_dims=2, max_dims=4, max_side=4))
    student, teacher = rng.normal(1.0, 2.0, (2, *shape))
    options = {"squared": squared, "per_sample": per_sample}
    value, gradient = value_and_gradient(
        lambda x: representation_distance(x, teacher, **options), student, 1.0
    )
    expected = _distance(student, teacher, **options)
    if expected < 1e-6:  # one element per norm: the same direction, up to rounding
        assert value < 1e-6
        return
    assert value == pytest.approx(expected, rel=1e-9, abs=1e-12)
    derivative = complex_step(lambda x: _distance(x, teacher, **options), student, 1.0)
    np.testing.assert_allclose(gradient, derivative, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("per_sample", [False, True])
def test_equal_and_zero_features_have_no_gradient(mode, per_sample):
    x = np.random.default_rng(0).normal(size=(4, 3))
    for student, teacher in ((x, 2.0 * x), (0.0 * x, 0.0 * x)):
        value, gradient = value_and_gradient(
            lambda s, t=teacher: representation_distance(s, t, per_sample=per_sample),
            student,
            1.0,
            mode,
        )
        assert value == pytest.approx(0.0, abs=1e-7)
        assert np.isfinite(gradient).all()


@given(st.floats(1e-3, 1e3), st.floats(1e-3, 1e3))
def test_scales_do_not_count(one, other):
    student, teacher = np.random.default_rng(0).normal(size=(2, 3, 5))
    expected = float(representation_distance(student, teacher))
    actual = float(representation_distance(one * student, other * teacher))
    assert actual == pytest.approx(expected, rel=1e-12)
    assert 0.0 < actual < 2.0


def test_opposite_features_are_two_apart():
    x = tf.constant([[1.0, -2.0]])
    assert float(representation_distance(x, -x)) == pytest.approx(2.0)
    assert float(representation_distance(x, -x, squared=True)) == 0.0


def test_nothing_flows_to_the_teacher():
    student, teacher = tf.constant([[1.0, 2.0]]), tf.constant([[2.0, 1.0]])
    with tf.GradientTape() as tape:
        tape.watch(teacher)
        distance = representation_distance(student, teacher)
    assert tape.gradient(distance, teacher) is None


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_is_widened(dtype):
    # squares of 300 would overflow float16
    student = tf.cast([[300.0, 400.0]], dtype)
    distance = representation_distance(student, tf.constant([[4.0, 3.0]]), squared=True)
    assert distance.dtype == tf.float32
    expected = _distance(np.array([[3.0, 4.0]]), np.array([[4.0, 3.0]]), True, False)
    assert float(distance) == pytest.approx(expected, rel=1e-5)


def test_shapes_that_differ():
    with pytest.raises(ValueError, match=r"to have one shape, got \(2, 3\) and \(2, 4"):
        representation_distance(tf.ones((2, 3)), tf.ones((2, 4)))


def test_alignment_is_the_sum_over_its_layers():
    rng = np.random.default_rng(0)
    student, teacher = ([rng.normal(size=(4, n)) for n in (3, 7)] for _ in range(2))
    alignment = RepresentationAlignment(gamma=9.0, squared=True, per_sample=True)
    expected = sum(_distance(*pair, True, True) for pair in zip(student, teacher))
    assert float(alignment(student, teacher)) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("gamma", [0.0, -1.0, float("inf"), float("nan")])
def test_bad_gamma(gamma):
    with pytest.raises(ValueError, match="`gamma` to be positive and finite, got"):
        RepresentationAlignment(gamma=gamma)


@pytest.mark.parametrize("layers", [[], {}, "conv"])
def test_bad_layers(layers):
    with pytest.raises(ValueError, match="Expected `layers` to be names of layers"):
        RepresentationAlignment(layers)
