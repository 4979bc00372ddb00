"""Grouped convolutions against one convolution for each group, in NumPy."""

import numpy as np
import pytest
import tensorflow as tf

from larq_irnet.layers import GroupedConv2D
from tests.larq_irnet.differentiation import MODES, value_and_gradient


def oracle(images, kernel, groups):
    """ "valid" and stride 1: the filters of group g see the channels of group g."""
    height, width, _, filters = kernel.shape
    channels = images.shape[-1] // groups
    rows, columns = images.shape[1] - height + 1, images.shape[2] - width + 1
    result = np.zeros((len(images), rows, columns, filters))
    for index in range(filters):
        group = index // (filters // groups)
        seen = images[..., group * channels : (group + 1) * channels]
        for i, j in np.ndindex(height, width):
            window = seen[:, i : i + rows, j : j + columns]
            result[..., index] += window @ kernel[i, j, :, index]
    return result


CASES = [  # channels, filters, groups
    (6, 12, 6),
    (6, 6, 6),
    (6, 12, 3),
    (8, 4, 2),
    (6, 5, 1),
    (1, 3, 1),
]


def make(channels, filters, groups, **options):
    layer = GroupedConv2D(
        filters, 3, groups, use_bias=False, dtype="float64", **options
    )
    layer.build((None, 7, 6, channels))
    return layer


def random_images(channels):
    return np.random.default_rng(0).normal(size=(2, 7, 6, channels))


@pytest.mark.parametrize("channels, filters, groups", CASES)
@pytest.mark.parametrize("mode", MODES)
def test_values_and_gradients(channels, filters, groups, mode):
    layer, images = make(channels, filters, groups), random_images(channels)
    kernel = layer.kernel.numpy()
    expected = oracle(images, kernel, groups)
    dy = np.random.default_rng(1).normal(size=expected.shape)
    value, gradient = value_and_gradient(layer, images, dy, mode)
    # float64: sums in another order
    np.testing.assert_allclose(value, expected, rtol=1e-10, atol=1e-12)
    for place in (0, 2, 3, 1), (1, 6, 5, 0):  # it is linear: one product for each
        pixel = np.zeros_like(images)
        index = (*place[:3], place[3] % channels)
        pixel[index] = 1.0
        slope = (oracle(pixel, kernel, groups) * dy).sum()
        assert gradient[index] == pytest.approx(slope, rel=1e-10, abs=1e-12)


@pytest.mark.parametrize("channels, filters, groups", CASES)
def test_the_gradient_of_the_kernel(channels, filters, groups):
    layer, images = make(channels, filters, groups), random_images(channels)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(tf.square(layer(images)))
    gradient = tape.gradient(loss, layer.kernel).numpy()
    kernel = layer.kernel.numpy()
    for index in (0, 0, 0, 0), (2, 1, kernel.shape[2] - 1, filters - 1):
        step = np.zeros_like(kernel)
        step[index] = 1e-6
        above, below = (
            (oracle(images, kernel + s, groups) ** 2).sum() for s in (step, -step)
        )
        # central differences of a parabola: rounding alone
        assert gradient[index] == pytest.approx((above - below) / 2e-6, rel=1e-6)


@pytest.mark.parametrize("groups", [1, 2, 4])
@pytest.mark.parametrize("options", [{"strides": 2}, {"padding": "same"}], ids=str)
def test_strides_and_padding_are_keras(groups, options):
    layer, images = make(4, 8, groups, **options), random_images(4)
    ours = layer(images)
    kernels = np.split(layer.kernel.numpy(), groups, axis=-1)
    parts = np.split(images, groups, axis=-1)
    each = [layer.convolution_op(part, kernel) for part, kernel in zip(parts, kernels)]
    np.testing.assert_allclose(ours, np.concatenate(each, -1), rtol=1e-10, atol=1e-12)
    assert ours.shape == layer.compute_output_shape(images.shape)


def test_bias_and_activation():
    layer = GroupedConv2D(4, 1, 2, activation="relu", bias_initializer="ones")
    linear = GroupedConv2D(4, 1, 2, use_bias=False)
    images = np.float32(random_images(4))
    layer.build(images.shape), linear.build(images.shape)
    linear.set_weights(layer.get_weights()[:1])
    expected = np.maximum(linear(images) + 1.0, 0)
    np.testing.assert_allclose(layer(images), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    "arguments, channels, message",
    [
        ({"filters": 5, "groups": 2}, 4, "evenly divisible by the number of groups"),
        ({"filters": 4, "groups": 2}, 3, "evenly divisible by the number of groups"),
    ],
)
def test_groups_that_do_not_divide(arguments, channels, message):
    with pytest.raises(ValueError, match=message):
        GroupedConv2D(**arguments, kernel_size=3).build((None, 8, 8, channels))


def test_channels_first():
    with pytest.raises(ValueError, match="channels last .*, got 'channels_first'"):
        GroupedConv2D(4, 3, 2, data_format="channels_first")
