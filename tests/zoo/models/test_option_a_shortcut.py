import hypothesis.strategies as st
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given

from zoo.models import OptionAShortcut


@given(
    st.integers(1, 6),
    st.integers(2, 6),
    st.integers(2, 6),
    st.integers(0, 5),
    st.sampled_from([(0, 0), (0, 1), (1, 0), (1, 1)]),
)
def test_values(channels, height, width, missing, first):
    images = np.random.default_rng(0).normal(size=(2, height, width, channels))
    row, column = first
    layer = OptionAShortcut(
        channels + missing, first_row=row, first_column=column, dtype="float64"
    )
    outputs = layer(tf.constant(images)).numpy()
    front = missing // 2
    inside = outputs[..., front : front + channels]
    np.testing.assert_array_equal(inside, images[:, row::2, column::2])
    assert outputs.shape[-1] == channels + missing
    assert not outputs[..., :front].any()
    assert not outputs[..., front + channels :].any()


def test_sixteen_channels_stand_in_the_middle_of_thirty_two():
    outputs = OptionAShortcut(32)(tf.ones((1, 4, 4, 16))).numpy()
    expected = [0] * 8 + [1] * 16 + [0] * 8
    np.testing.assert_array_equal(outputs, np.broadcast_to(expected, (1, 2, 2, 32)))


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_dtype_is_kept(dtype):
    assert OptionAShortcut(2, dtype=dtype)(tf.ones((1, 2, 2, 1))).dtype == dtype


def test_it_has_no_weights():
    layer = OptionAShortcut(4)
    layer.build((None, 4, 4, 2))
    assert layer.weights == []


def test_configuration_round_trip():
    layer = OptionAShortcut(32, first_row=1, first_column=0, name="shortcut")
    clone = tf.keras.layers.deserialize(tf.keras.layers.serialize(layer))
    assert type(clone) is OptionAShortcut
    assert clone.get_config() == layer.get_config()
    assert (clone.filters, clone.first_row, clone.first_column) == (32, 1, 0)


def test_too_many_input_channels():
    with pytest.raises(ValueError, match="Expected at most 4 input channels, got 5"):
        OptionAShortcut(4)(tf.zeros((1, 2, 2, 5)))
