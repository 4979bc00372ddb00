import colorsys
import functools
import itertools

import hypothesis.strategies as st
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given

from zoo.datasets import ColorJitter
from zoo.datasets.color_jitter import COLOR_JITTER_DRAWS

NOTHING = ColorJitter(0.0, 0.0, 0.0, 0.0)
seeds = st.integers(0, 2**32 - 1)


def pixels_of(seed, shape=(5, 4, 3)):
    return np.random.default_rng(seed).random(shape, np.float32)


def grey(pixels):
    return pixels @ np.array([0.299, 0.587, 0.114])


def blended(pixels, other, factor):
    return np.clip(factor * pixels + (1 - factor) * other, 0, 1)


def hue_turned(pixels, turn):
    result = np.empty_like(pixels)
    for place in np.ndindex(pixels.shape[:2]):
        hue, saturation, value = colorsys.rgb_to_hsv(*pixels[place])
        result[place] = colorsys.hsv_to_rgb((hue + turn) % 1.0, saturation, value)
    return result


def jitter_oracle(jitter, pixels, draws):
    pixels, draws = pixels.astype(float), draws.astype(float)
    brightness, contrast, saturation, hue = (2 * draws[:4] - 1) * jitter
    for step in np.argsort(draws[4:], kind="stable"):
        if step == 0:
            pixels = blended(pixels, 0.0, 1 + brightness)
        elif step == 1:
            pixels = blended(pixels, grey(pixels).mean(), 1 + contrast)
        elif step == 2:
            pixels = blended(pixels, grey(pixels)[..., None], 1 + saturation)
        else:
            pixels = hue_turned(pixels, hue)
    return pixels


@functools.cache
def in_graph(jitter):
    return tf.function(jitter.apply)


def jittered(jitter, pixels, draws):
    return in_graph(jitter)(tf.constant(pixels), tf.constant(draws, tf.float32)).numpy()


@given(seeds, st.sampled_from([ColorJitter(), ColorJitter(0.9, 0.8, 1.0, 0.5)]))
def test_against_numpy(seed, jitter):
    draws = np.random.default_rng(seed).random(COLOR_JITTER_DRAWS, np.float32)
    pixels = pixels_of(seed)
    # float32; the hue divides by the colourfulness, hence some hundred ulps
    np.testing.assert_allclose(
        jittered(jitter, pixels, draws),
        jitter_oracle(jitter, pixels, draws),
        rtol=0,
        atol=1e-4,
    )


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
def test_all_orders(order):
    ranks = np.argsort(order)  # step i has rank ranks[i]
    draws = np.concatenate([[0.9, 0.1, 0.8, 0.2], (ranks + 0.5) / 4])
    pixels, jitter = pixels_of(1), ColorJitter(0.5, 0.5, 0.5, 0.3)
    assert tuple(np.argsort(draws[4:])) == order
    np.testing.assert_allclose(
        jittered(jitter, pixels, draws),
        jitter_oracle(jitter, pixels, draws),
        rtol=0,
        atol=1e-4,  # as above
    )


def test_the_order_matters():
    pixels, jitter = pixels_of(1), ColorJitter(0.9, 0.9, 0.9, 0.3)
    results = [
        jittered(jitter, pixels, [0.9, 0.1, 0.8, 0.2, *ranks])
        for ranks in itertools.permutations((0.1, 0.3, 0.5, 0.7))
    ]
    # the hue does not notice brightness or saturation, but for the clipping
    assert len({result.round(3).tobytes() for result in results}) > 12


@given(seeds)
def test_results_stay_within_the_range_of_pixels(seed):
    draws = np.random.default_rng(seed).random(COLOR_JITTER_DRAWS, np.float32)
    result = jittered(ColorJitter(1.0, 1.0, 1.0, 0.5), pixels_of(seed), draws)
    # the last step may be the hue, which computes max - (max - min) in float32
    assert result.min() >= -1e-6
    assert result.max() <= 1 + 1e-6


@given(seeds)
def test_no_jitter_changes_nothing(seed):
    pixels, draws = pixels_of(seed), pixels_of(seed, COLOR_JITTER_DRAWS)
    # the way to the hue and back, in float32
    np.testing.assert_allclose(
        jittered(NOTHING, pixels, draws), pixels, rtol=0, atol=1e-5
    )


def test_grey_images_stay_grey():
    pixels = np.repeat(pixels_of(0)[..., :1], 3, axis=-1)
    result = jittered(ColorJitter(), pixels, pixels_of(3, COLOR_JITTER_DRAWS))
    # the weights of the luminance add up to 1 only within float32
    np.testing.assert_allclose(
        result, np.repeat(result[..., :1], 3, axis=-1), rtol=0, atol=1e-6
    )


def test_the_defaults_are_those_of_the_authors():
    assert ColorJitter() == (0.2, 0.2, 0.2, 0.1)
