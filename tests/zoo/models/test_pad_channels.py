import hypothesis.strategies as st
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given

from zoo.models import PadChannels


@given(st.integers(1, 6), st.integers(0, 5))
def test_values(channels, missing):
    images = np.random.default_rng(0).normal(size=(2, 3, 4, channels))
    layer = PadChannels(channels + missing, dtype="float64")
    outputs = layer(tf.constant(images)).numpy()
    front = missing // 2
    np.testing.assert_array_equal(outputs[..., front : front + channels], images)
    assert outputs.shape == (2, 3, 4, channels + missing)
    assert not outputs[..., :front].any()
    assert not outputs[..., front + channels :].any()


def test_sixteen_channels_stand_in_the_middle_of_thirty_two():
    outputs = PadChannels(32)(tf.ones((1, 2, 2, 16))).numpy()
    expected = [0] * 8 + [1] * 16 + [0] * 8
    np.testing.assert_array_equal(outputs, np.broadcast_to(expected, (1, 2, 2, 32)))


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_dtype_is_kept(dtype):
    assert PadChannels(2, dtype=dtype)(tf.ones((1, 2, 2, 1))).dtype == dtype


def test_configuration_round_trip():
    layer = PadChannels(32, name="shortcut")
    clone = tf.keras.layers.deserialize(tf.keras.layers.serialize(layer))
    assert type(clone) is PadChannels
    assert clone.get_config() == layer.get_config()


def test_too_many_input_channels():
    with pytest.raises(ValueError, match="Expected at most 4 input channels, got 5"):
        PadChannels(4)(tf.zeros((1, 2, 2, 5)))
