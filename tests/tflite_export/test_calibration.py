"""Ranges of activations, on numbers that can be counted."""

import numpy as np
import pytest
import tensorflow as tf

from tflite_export.calibration import RULES, Calibration, Range, measure_ranges

layers = tf.keras.layers


@pytest.fixture(scope="module")
def model():
    inputs = tf.keras.Input((1000,))
    doubled = layers.Rescaling(2.0, name="doubled")(inputs)
    return tf.keras.Model(inputs, layers.ReLU(name="positive")(doubled))


def ranges(model, samples, **arguments):
    samples = np.asarray(samples, np.float32)
    names = ["doubled", "positive"]
    return measure_ranges(model, names, [samples], Calibration(**arguments))


def rows(*limits):
    """Samples of evenly spaced values between the limits of each."""
    return [np.linspace(low, high, 1000) for low, high in limits]


def test_min_max_sees_every_batch(model):
    found = ranges(model, rows((-1, 2), (-3, 1), (0, 1)), batch_size=2)
    assert found == {"doubled": Range(-6.0, 4.0), "positive": Range(0.0, 4.0)}


def test_zero_is_in_every_range(model):
    assert ranges(model, rows((3, 5)))["doubled"] == Range(0.0, 10.0)
    assert ranges(model, rows((-5, -3)))["doubled"] == Range(-10.0, 0.0)


def test_a_tensor_of_zeros_has_a_range(model):
    assert ranges(model, rows((-5, -3)))["positive"] == Range(0.0, 1.0)


def test_percentile_leaves_outliers_out(model):
    samples = rows((-1, 1))
    samples[0][0], samples[0][-1] = -100.0, 100.0
    found = ranges(model, samples, rule="percentile", percentile=99.0)["doubled"]
    width = 400.0 / 4096  # of a bin of the histogram
    assert -1.98 - width <= found.low <= -1.98 + width
    assert 1.98 - width <= found.high <= 1.98 + width


@pytest.mark.parametrize("percentile", [100.0, 99.99])
def test_percentile_without_outliers_is_min_max(model, percentile):
    found = ranges(model, rows((-1, 2)), rule="percentile", percentile=percentile)
    width = 6.0 / 4096
    assert found["doubled"].low == pytest.approx(-2.0, abs=width)
    assert found["doubled"].high == pytest.approx(4.0, abs=width)


def test_moving_average_of_batches(model):
    found = ranges(
        model,
        rows((-1, 1), (-2, 3)),
        rule="moving_average",
        momentum=0.75,
        batch_size=1,
    )
    assert found["doubled"] == Range(-2.0 - 0.25 * 2.0, 2.0 + 0.25 * 4.0)


@pytest.mark.parametrize("rule", RULES)
def test_what_is_not_finite_is_refused(model, rule):
    samples = rows((-1, 1))
    samples[0][7] = np.inf
    with pytest.raises(ValueError, match="NaN or Inf from .*doubled.*Look at"):
        ranges(model, samples, rule=rule)


@pytest.mark.parametrize(
    "arguments, words",
    [
        ({"rule": "entropy"}, "one of min_max, percentile, moving_average, got 'ent"),
        ({"percentile": 50.0}, r"`percentile` in \(50, 100\], got 50.0"),
        ({"percentile": 100.5}, "`percentile`"),
        ({"momentum": 1.0}, r"`momentum` in \[0, 1\), got 1.0"),
        ({"batch_size": 0}, "`batch_size`"),
    ],
)
def test_arguments_are_checked(arguments, words):
    with pytest.raises(ValueError, match=words):
        Calibration(**arguments)
