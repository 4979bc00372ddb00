"""Masks against NumPy: pixel by pixel, written from the formulas."""

import hypothesis
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import strategies as st

from larq_irnet.restriction import (
    NORMALIZATIONS,
    attention_erase,
    attention_map,
    attention_mask,
)
from tests.larq_irnet.differentiation import MODES, value_and_gradient


def oracle_attention(features, size, normalize):
    """[N, H, W], with a loop for every pixel."""
    answers = (features**2).mean(-1)
    axes = 1 if normalize == "column" else (1, 2)
    length = np.sqrt((answers**2).sum(axes, keepdims=True))
    answers = answers / np.maximum(length, 1e-12)
    images, height, width = answers.shape
    result = np.zeros((images, *size))
    for row, column in np.ndindex(*size):
        # the corners of the image are the centres of the outermost features
        y = row * (height - 1) / (size[0] - 1) if size[0] > 1 else 0.0
        x = column * (width - 1) / (size[1] - 1) if size[1] > 1 else 0.0
        top, left = int(y), int(x)
        bottom, right = min(top + 1, height - 1), min(left + 1, width - 1)
        v, u = y - top, x - left
        result[:, row, column] = (
            (1 - v) * (1 - u) * answers[:, top, left]
            + (1 - v) * u * answers[:, top, right]
            + v * (1 - u) * answers[:, bottom, left]
            + v * u * answers[:, bottom, right]
        )
    return result


def oracle_mask(features, size, threshold=0.15, normalize="column"):
    attention = oracle_attention(features, size, normalize)
    return attention > threshold * attention.mean((1, 2), keepdims=True)


def random_features(shape=(3, 4, 4, 5), seed=0):
    """With columns of very different strength, as hard tanh leaves them."""
    generator = np.random.default_rng(seed)
    strength = generator.exponential(size=shape[:3]) ** 3
    return np.clip(generator.normal(size=shape) * strength[..., None], -1, 1)


def random_images(shape=(3, 9, 7, 2), seed=1):
    return np.random.default_rng(seed).normal(size=shape)


@pytest.mark.parametrize("normalize", NORMALIZATIONS)
@pytest.mark.parametrize(
    "source, target",
    [
        ((4, 4), (8, 8)),
        ((2, 5), (9, 7)),
        ((7, 7), (28, 30)),
        ((1, 1), (4, 4)),
        ((3, 3), (1, 1)),
        ((8, 8), (8, 8)),
        ((9, 9), (4, 3)),  # fewer pixels than features
    ],
)
def test_attention(source, target, normalize):
    features = random_features((2, *source, 3))
    expected = oracle_attention(features, target, normalize)
    attention = attention_map(features, target, normalize=normalize)
    assert attention.dtype == tf.float64
    # float64: sums of products in another order
    np.testing.assert_allclose(attention, expected, rtol=1e-12, atol=1e-15)


def test_features_at_the_size_of_the_image_are_not_smoothed():
    features = random_features((1, 6, 6, 2))
    answers = (features**2).mean(-1)
    expected = answers / np.sqrt((answers**2).sum((1, 2), keepdims=True))
    attention = attention_map(features, (6, 6), normalize="image")
    np.testing.assert_allclose(attention, expected, rtol=1e-12)


@hypothesis.given(
    seed=st.integers(0, 2**32 - 1),
    size=st.tuples(st.integers(1, 12), st.integers(1, 12)),
    threshold=st.floats(0.01, 0.99),
    normalize=st.sampled_from(NORMALIZATIONS),
)
def test_masks(seed, size, threshold, normalize):
    features = random_features(seed=seed)
    expected = oracle_mask(features, size, threshold, normalize)
    mask = attention_mask(features, size, threshold=threshold, normalize=normalize)
    assert mask.dtype == tf.bool
    np.testing.assert_array_equal(mask[..., 0], expected)


def test_the_default_is_the_authors():
    features = random_features((8, 4, 4, 6))
    mask = attention_mask(features, (16, 16))[..., 0].numpy()
    np.testing.assert_array_equal(mask, oracle_mask(features, (16, 16), 0.15))
    assert 0.05 < (~mask).mean() < 0.95
    image = attention_mask(features, (16, 16), normalize="image")[..., 0].numpy()
    assert (image != mask).mean() > 0.01  # another operation


@pytest.mark.parametrize("factor", [1e-3, 7.0])
@pytest.mark.parametrize("normalize", NORMALIZATIONS)
def test_the_scale_of_features_does_not_matter(normalize, factor):
    features = random_features()
    one = attention_mask(features, (9, 7), normalize=normalize)
    other = attention_mask(factor * features, (9, 7), normalize=normalize)
    np.testing.assert_array_equal(one, other)


def test_each_image_has_a_threshold_of_its_own():
    features = random_features()
    features[1] *= 1e-4
    together = attention_mask(features, (9, 7))
    alone = [attention_mask(one[None], (9, 7))[0] for one in features]
    np.testing.assert_array_equal(together, alone)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("normalize", NORMALIZATIONS)
def test_erased_images_and_their_gradient(normalize, mode):
    features, images = random_features(), random_images()
    dy = random_images(seed=2)
    mask = oracle_mask(features, (9, 7), normalize=normalize)[..., None]
    value, gradient = value_and_gradient(
        lambda x: attention_erase(x, features, normalize=normalize), images, dy, mode
    )
    np.testing.assert_array_equal(value, np.where(mask, images, 0.0))
    np.testing.assert_array_equal(gradient, np.where(mask, dy, 0.0))
    assert 0 < mask.mean() < 1


def test_no_gradient_reaches_the_features():
    features = tf.constant(random_features())
    images = tf.constant(random_images())
    with tf.GradientTape() as tape:
        tape.watch(features)
        total = tf.reduce_sum(attention_erase(images, features))
        attention = tf.reduce_sum(attention_map(features, (3, 3)))
    assert tape.gradient([total, attention], features) is None


@pytest.mark.parametrize("fill", [0.25, [0.25, -1.5], (3, 4)])
def test_what_erased_pixels_become(fill):
    features, images = random_features(), random_images()
    mask = oracle_mask(features, (9, 7))[..., None]
    result = attention_erase(images, features, fill=fill)
    np.testing.assert_array_equal(result, np.where(mask, images, fill))


def test_images_of_bytes():
    features = random_features()
    images = np.random.default_rng(3).integers(1, 256, (3, 9, 7, 2), np.uint8)
    result = attention_erase(images, features, fill=7)
    mask = oracle_mask(features, (9, 7))[..., None]
    assert result.dtype == tf.uint8
    np.testing.assert_array_equal(result, np.where(mask, images, 7))


def test_a_pixel_that_is_not_a_number_is_erased_like_others():
    features, images = random_features(), random_images()
    mask = oracle_mask(features, (9, 7))[..., None]
    images[~np.broadcast_to(mask, images.shape)] = np.nan
    assert np.isfinite(attention_erase(images, features)).all()


def test_masks_are_turned_to_the_orientation_of_the_images():
    features, images = random_features(), random_images()

    def turned(x):
        return tf.reverse(x, axis=[1, 2])

    result = attention_erase(images, turned(features), orient=turned)
    np.testing.assert_array_equal(result, attention_erase(images, features))


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
def test_half_precision_is_widened(dtype):
    features = tf.cast(100 * random_features(), dtype)  # squares beyond float16
    attention = attention_map(features, (5, 5))
    assert attention.dtype == tf.float32
    expected = oracle_attention(np.float64(features), (5, 5), "column")
    np.testing.assert_allclose(attention, expected, rtol=1e-5)
    images = tf.cast(random_images(), dtype)
    assert attention_erase(images, features).dtype == dtype


def test_sizes_that_are_known_when_it_runs():
    @tf.function(
        input_signature=[
            tf.TensorSpec((None, None, None, 2), tf.float64),
            tf.TensorSpec((None, None, None, 5), tf.float64),
        ]
    )
    def erase(images, features):
        return attention_erase(images, features)

    features, images = random_features(), random_images()
    expected = attention_erase(images, features)
    np.testing.assert_array_equal(erase(images, features), expected)


def test_nothing_is_kept_without_any_answer():
    features = np.zeros((2, 3, 3, 4))
    features[1] = random_features((1, 3, 3, 4))
    kept = attention_mask(features, (6, 6)).numpy().mean((1, 2, 3))
    assert kept[0] == 0.0 < kept[1]


@pytest.mark.parametrize("threshold", [0.0, 1.0, -0.15, 15, float("nan"), "0.15"])
def test_bad_thresholds(threshold):
    message = rf"`threshold` to be a share .* between 0 and 1 .*, got {threshold!r}"
    with pytest.raises(ValueError, match=message):
        attention_erase(random_images(), random_features(), threshold=threshold)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"normalize": "row"}, r"`normalize` out of \['column', 'image'\], got 'row'"),
        (
            {"features": np.zeros((3, 4, 4))},
            r"`features` to be \[N, h, w, C\], got the shape \(3, 4, 4\)",
        ),
        (
            {"images": np.zeros((9, 7, 2))},
            r"`images` to be \[N, H, W, C\], got the shape \(9, 7, 2\)",
        ),
    ],
)
def test_errors(arguments, message):
    given = {"images": random_images(), "features": random_features(), **arguments}
    with pytest.raises(ValueError, match=message):
        attention_erase(**given)
