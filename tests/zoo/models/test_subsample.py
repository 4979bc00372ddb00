import hypothesis.strategies as st
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given

from zoo.models import Subsample

first = st.integers(0, 1)


@given(st.integers(2, 7), st.integers(2, 7), first, first)
def test_values(height, width, row, column):
    images = np.random.default_rng(0).normal(size=(2, height, width, 3))
    layer = Subsample(first_row=row, first_column=column, dtype="float64")
    outputs = layer(tf.constant(images)).numpy()
    np.testing.assert_array_equal(outputs, images[:, row::2, column::2])


@given(st.integers(1, 7), st.integers(1, 7))
def test_in_front_of_a_1x1_convolution_it_makes_a_strided_one(height, width):
    generator = np.random.default_rng(0)
    images = generator.normal(size=(2, height, width, 3))
    kernel = generator.normal(size=(1, 1, 3, 4))
    ours = tf.nn.conv2d(Subsample(dtype="float64")(images), kernel, 1, "SAME")
    strided = tf.nn.conv2d(images, kernel, 2, "SAME")
    np.testing.assert_allclose(ours, strided, rtol=0, atol=1e-14)  # three products


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_dtype_is_kept(dtype):
    assert Subsample(dtype=dtype)(tf.ones((1, 2, 2, 1))).dtype == dtype


def test_configuration_round_trip():
    layer = Subsample(first_row=1, first_column=0, name="pixels")
    clone = tf.keras.layers.deserialize(tf.keras.layers.serialize(layer))
    assert type(clone) is Subsample
    assert clone.get_config() == layer.get_config()
    assert (clone.first_row, clone.first_column) == (1, 0)
