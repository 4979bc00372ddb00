import numpy as np
import pytest
import tensorflow as tf

from larq_irnet.distillation import LogitMatching, logit_matching
from tests.larq_irnet.differentiation import MODES, value_and_gradient

TEMPERATURES = [0.5, 1.0, 4.0]


def softmax(z):
    exponentials = np.exp(z - z.max(-1, keepdims=True))
    return exponentials / exponentials.sum(-1, keepdims=True)


def oracle(teacher, student, t):
    """The loss of each image, and its gradient for the student."""
    p, expected = softmax(student / t), softmax(teacher / t)
    return -(t**2) * (expected * np.log(p)).sum(-1), t * (p - expected)


def logits(seed=0, shape=(6, 10), scale=3.0):
    generator = np.random.default_rng(seed)
    return scale * generator.normal(size=shape), scale * generator.normal(size=shape)


@pytest.mark.parametrize("temperature", TEMPERATURES)
@pytest.mark.parametrize("mode", MODES)
def test_values_and_gradients(temperature, mode):
    teacher, student = logits()
    weights = np.random.default_rng(1).normal(size=6)
    loss, gradient = value_and_gradient(
        lambda student: logit_matching(teacher, student, temperature=temperature),
        student,
        weights,
        mode,
    )
    expected, dstudent = oracle(teacher, student, temperature)
    # float64
    np.testing.assert_allclose(loss, expected, rtol=1e-13)
    np.testing.assert_allclose(gradient, dstudent * weights[:, None], atol=1e-13)


def test_the_gradient_is_that_of_finite_differences():
    teacher, student = logits()
    _, gradient = oracle(teacher, student, 2.0)
    step = 1e-6
    for i, j in (0, 0), (3, 7):
        nudge = np.zeros_like(student)
        nudge[i, j] = step
        after = logit_matching(teacher, student + nudge, temperature=2.0)
        before = logit_matching(teacher, student - nudge, temperature=2.0)
        slope = np.sum(after - before) / (2 * step)
        # errors of the second order, and rounding divided by the step
        assert slope == pytest.approx(gradient[i, j], abs=1e-8)


def test_nothing_flows_to_the_teacher():
    teacher, student = map(tf.Variable, logits())
    with tf.GradientTape() as tape:
        loss = logit_matching(teacher, student)
    assert tape.gradient(loss, teacher) is None


def test_a_student_that_agrees_has_no_gradient():
    teacher, _ = logits()
    shifted = teacher + np.arange(6.0)[:, None]  # the same probabilities
    loss, gradient = value_and_gradient(
        lambda student: logit_matching(teacher, student), shifted, np.ones(6)
    )
    p = softmax(teacher)
    np.testing.assert_allclose(loss, -(p * np.log(p)).sum(-1), rtol=1e-12)  # entropy
    np.testing.assert_allclose(gradient, 0, atol=1e-15)


@pytest.mark.parametrize("scale", [1e3, 1e30])
def test_logits_of_any_size(scale):
    teacher, student = (tf.constant(z, tf.float32) for z in logits(scale=scale))
    loss, gradient = value_and_gradient(
        lambda student: logit_matching(teacher, student), student, tf.ones(6)
    )
    assert np.isfinite(loss).all() and np.isfinite(gradient).all()


@pytest.mark.parametrize("dtype", [tf.float16, tf.bfloat16, tf.float32, tf.float64])
@pytest.mark.parametrize("teacher_dtype", [tf.float16, tf.float32])
def test_dtypes(dtype, teacher_dtype):
    teacher, student = logits()
    teacher, student = tf.cast(teacher, teacher_dtype), tf.cast(student, dtype)
    loss = logit_matching(teacher, student)
    assert loss.dtype == (tf.float64 if dtype == tf.float64 else tf.float32)
    expected, _ = oracle(np.float64(teacher), np.float64(student), 1.0)
    np.testing.assert_allclose(loss, expected, rtol=1e-5)  # float32 at least


@pytest.mark.parametrize("temperature", TEMPERATURES)
def test_the_loss_is_the_mean_over_the_batch(temperature):
    teacher, student = logits()
    expected, _ = oracle(teacher, student, temperature)
    loss = LogitMatching(temperature)
    assert float(loss(teacher, student)) == pytest.approx(expected.mean(), rel=1e-13)
    weighted = loss(teacher, student, sample_weight=[1.0, 0, 0, 0, 0, 2.0])
    assert float(weighted) == pytest.approx((expected[0] + 2 * expected[5]) / 6)
    single = LogitMatching(temperature, reduction=tf.keras.losses.Reduction.NONE)
    np.testing.assert_allclose(single(teacher, student), expected, rtol=1e-13)


def test_serialisation():
    loss = LogitMatching(2.5, reduction=tf.keras.losses.Reduction.SUM, name="mine")
    again = tf.keras.losses.deserialize(tf.keras.losses.serialize(loss))
    assert type(again) is LogitMatching
    assert again.get_config() == loss.get_config()
    assert (again.temperature, again.reduction, again.name) == (2.5, "sum", "mine")


@pytest.mark.parametrize("temperature", [0.0, -1.0, float("inf"), float("nan")])
def test_temperatures_out_of_range(temperature):
    message = f"Expected `temperature` to be positive and finite, got {temperature}"
    with pytest.raises(ValueError, match=message):
        LogitMatching(temperature)
    with pytest.raises(ValueError, match=message):
        logit_matching(tf.zeros((1, 2)), tf.zeros((1, 2)), temperature=temperature)


def test_logits_of_other_classes():
    message = r"`teacher_logits` to have the shape .*, \(6, 10\), got \(6, 1\)"
    with pytest.raises(ValueError, match=message):
        logit_matching(tf.zeros((6, 1)), tf.zeros((6, 10)))
