import math

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from larq_irnet.quantizers.magnitude_quantile import magnitude_quantile, share_within
from tests.larq_irnet.differentiation import MODES

shares = st.floats(1e-3, 1.0)


NUMBERS = {
    "float16": st.floats(width=16, allow_nan=False),
    "float32": st.floats(width=32, allow_nan=False),
    "float64": st.floats(width=64, allow_nan=False),
}


@pytest.mark.parametrize("dtype", NUMBERS)
@given(st.data(), shares)
def test_quantile_is_that_of_the_sorted_magnitudes(dtype, data, share):
    shape = hnp.array_shapes(max_dims=3, max_side=7)
    x = data.draw(hnp.arrays(dtype, shape, elements=NUMBERS[dtype]))
    quantile = magnitude_quantile(tf.constant(x), share)
    rank = math.ceil(share * x.size)
    assert quantile.dtype == (tf.float64 if dtype == "float64" else tf.float32)
    assert quantile.numpy() == np.sort(np.abs(x).ravel())[rank - 1]


@pytest.mark.parametrize("mode", MODES)
def test_all_modes_agree(mode):
    x = np.random.default_rng(0).normal(size=(3, 5, 7)).astype("float32")
    quantile = MODES[mode](lambda x: magnitude_quantile(x, 0.1))(x)
    assert quantile.numpy() == np.sort(np.abs(x).ravel())[10]  # the 11th of 105


def test_bfloat16():
    assert float(magnitude_quantile(tf.constant([-3.0, 1.5], tf.bfloat16), 1.0)) == 3.0


def test_nan_is_larger_than_all_numbers():
    x = tf.constant([np.nan, -2.0, 1.0, np.nan])
    assert float(magnitude_quantile(x, 0.5)) == 2.0
    assert float(magnitude_quantile(x, 0.75)) == np.inf


def test_empty_tensor():
    assert float(magnitude_quantile(tf.zeros((0, 3)), 0.5)) == 0.0


@given(st.integers(0, 2**32 - 1), shares)
def test_share_within_the_quantile_is_at_least_the_share(seed, share):
    x = np.random.default_rng(seed).standard_cauchy(37)
    quantile = magnitude_quantile(x, share)
    below = np.nextafter(quantile.numpy(), 0.0)
    assert share_within(x, quantile) >= share
    assert share_within(x, below) < share
