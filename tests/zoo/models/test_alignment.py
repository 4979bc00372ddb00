"""The frame rotated by 180 degrees: PyTorch's geometry with native "same" padding."""

import hypothesis.strategies as st
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given

import larq_irnet as irnet
from tests.zoo.models import reference
from zoo.models import PadChannels, Rotate180, Subsample
from zoo.models.alignment import ALIGNMENTS, check_alignment, first_subsampled_pixel
from zoo.models.network_pieces import NetworkPieces

sizes = st.integers(1, 9)


def rotate(images):
    return Rotate180(dtype="float64")(tf.constant(images)).numpy()


def test_rotation_reverses_rows_and_columns():
    images = np.arange(2 * 3 * 4 * 2, dtype=np.float64).reshape(2, 3, 4, 2)
    rotated = rotate(images)
    assert rotated.shape == images.shape
    for row, column in np.ndindex(3, 4):
        np.testing.assert_array_equal(
            rotated[:, row, column], images[:, 2 - row, 3 - column]
        )


def test_rotating_twice_changes_nothing():
    images = np.random.default_rng(0).normal(size=(2, 5, 4, 3))
    np.testing.assert_array_equal(rotate(rotate(images)), images)


def test_rotation_survives_its_configuration():
    layer = Rotate180(name="turn", dtype="float64")
    clone = tf.keras.layers.deserialize(tf.keras.layers.serialize(layer))
    assert type(clone) is Rotate180
    assert clone.get_config() == layer.get_config()


@pytest.mark.parametrize("policy", ["float64", "mixed_float16"])
def test_rotation_keeps_the_dtype_of_the_policy(policy):
    layer = Rotate180(dtype=tf.keras.mixed_precision.Policy(policy))
    assert layer(tf.zeros((1, 2, 2, 1))).dtype == layer.compute_dtype


@pytest.mark.parametrize("alignment", ALIGNMENTS)
def test_known_alignments(alignment):
    check_alignment(alignment)  # raises nothing


@pytest.mark.parametrize("alignment", ["caffe", "", None])
def test_unknown_alignments(alignment):
    message = f"`alignment` to be 'tensorflow' or 'torch', got {alignment!r}"
    with pytest.raises(ValueError, match=message):
        check_alignment(alignment)


@pytest.mark.parametrize(
    "size, alignment, first",
    [
        (8, "tensorflow", 0),
        (7, "tensorflow", 0),
        (8, "torch", 1),
        (7, "torch", 0),
        (2, "torch", 1),
        (1, "torch", 0),
    ],
)
def test_first_subsampled_pixel(size, alignment, first):
    assert first_subsampled_pixel(size, alignment) == first


@given(sizes, sizes, st.sampled_from([1, 2]), st.sampled_from([0.0, 1.0]))
def test_convolution_in_the_rotated_frame(height, width, stride, value):
    generator = np.random.default_rng(height * 10 + width)
    images = generator.normal(size=(2, height, width, 3))
    kernel = generator.normal(size=(3, 3, 3, 4))
    expected = reference.conv(images, kernel, stride, geometry="torch", value=value)

    layer = tf.keras.layers.Conv2D(
        4, 3, strides=stride, padding="valid", use_bias=False, dtype="float64"
    )
    pads = [reference.padding(size, stride, "tensorflow") for size in (height, width)]
    padded = np.pad(
        rotate(images), [(0, 0), *pads, (0, 0)], constant_values=value
    )  # what padding="same" does, with a value
    layer.build(padded.shape)
    layer.set_weights([reference.rotate_kernel(kernel)])
    # 27 products of magnitude one, in float64
    np.testing.assert_allclose(
        rotate(layer(padded).numpy()), expected, rtol=0, atol=1e-12
    )


@given(sizes, sizes, st.sampled_from([1, 2]))
def test_native_same_padding_in_the_rotated_frame(height, width, stride):
    generator = np.random.default_rng(height * 10 + width)
    images = generator.normal(size=(2, height, width, 3))
    kernel = generator.normal(size=(3, 3, 3, 4))
    expected = reference.conv(images, kernel, stride, geometry="torch")
    rotated = tf.nn.conv2d(
        rotate(images), reference.rotate_kernel(kernel), stride, "SAME"
    )
    # 27 products of magnitude one, in float64
    np.testing.assert_allclose(rotate(rotated), expected, rtol=0, atol=1e-12)


def test_without_the_rotation_even_sizes_differ():
    generator = np.random.default_rng(0)
    images, kernel = generator.normal(size=(1, 8, 8, 1)), np.ones((3, 3, 1, 1))
    ours = tf.nn.conv2d(images, kernel, 2, "SAME").numpy()
    assert np.abs(ours - reference.conv(images, kernel, 2, geometry="torch")).max() > 1


@given(sizes, sizes)
def test_shortcut_in_the_rotated_frame(height, width):
    images = np.random.default_rng(1).normal(size=(2, height, width, 3))
    subsample = Subsample(
        first_row=first_subsampled_pixel(height, "torch"),
        first_column=first_subsampled_pixel(width, "torch"),
        dtype="float64",
    )
    shortcut = PadChannels(7, dtype="float64")(subsample(rotate(images)))
    np.testing.assert_array_equal(
        rotate(shortcut.numpy()), reference.option_a(images, 7)
    )


@given(st.integers(1, 5), st.integers(1, 5))
def test_pooled_shortcut_in_the_rotated_frame(half_height, half_width):
    # an even size has the same pools from either end
    images = np.random.default_rng(1).normal(
        size=(2, 2 * half_height, 2 * half_width, 3)
    )
    pool = tf.keras.layers.AveragePooling2D(padding="same", dtype="float64")
    shortcut = PadChannels(7, dtype="float64")(pool(rotate(images)))
    # float64 sums of four in another order
    np.testing.assert_allclose(
        rotate(shortcut.numpy()),
        reference.pooled_option_a(images, 7),
        rtol=1e-14,
        atol=1e-15,
    )


@pytest.mark.parametrize("alignment", ALIGNMENTS)
@pytest.mark.parametrize("make", ["pooled_option_a", "pooled_projection"])
def test_pooled_shortcuts_are_the_same_layers_in_both_frames(make, alignment):
    pieces = NetworkPieces(
        method=irnet.methods.get("recu"),
        pad_values=0.0,
        alignment=alignment,
        bn_gamma="ones",
        synchronized_batch_norm=False,
        kernel_initializer=tf.keras.initializers.Ones,
    )
    inputs = tf.keras.Input((6, 5, 4))
    model = tf.keras.Model(inputs, getattr(pieces, make)(inputs, 8, "it"))
    assert model.output_shape == (None, 3, 3, 8)  # nothing of an odd size is lost
    pool = model.layers[1]
    assert isinstance(pool, tf.keras.layers.AveragePooling2D)
    assert not any(isinstance(layer, Subsample) for layer in model.layers)
