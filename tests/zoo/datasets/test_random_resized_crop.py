import math

import hypothesis.strategies as st
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import example, given

from tests.zoo.datasets.scaling import scaled
from zoo.datasets.random_resized_crop import (
    RANDOM_WINDOW_DRAWS,
    decode_window,
    random_window,
)

sides = st.integers(1, 2000)
seeds = st.integers(0, 2**32 - 1)
scales = st.sampled_from([(0.08, 1.0), (0.08, 1.25), (1.0, 1.0)])


def draws_of(seed):
    return np.random.default_rng(seed).random(RANDOM_WINDOW_DRAWS, np.float32)


@tf.function(reduce_retracing=True)
def windows_in_graph(height, width, draws, scale):
    return random_window(height, width, draws, scale=(scale[0], scale[1]))


def window_of(height, width, draws, scale=(0.08, 1.0)):
    return tuple(
        windows_in_graph(
            tf.constant(height),
            tf.constant(width),
            tf.constant(draws),
            tf.constant(scale, tf.float64),
        ).numpy()
    )


def central_window_oracle(height, width):
    if width / height < 3 / 4:
        size = round(width * 4 / 3), width
    elif width / height > 4 / 3:
        size = height, round(height * 4 / 3)
    else:
        size = height, width
    return (height - size[0]) // 2, (width - size[1]) // 2, *size


def random_window_oracle(height, width, draws, scale):
    for area_draw, ratio_draw, row_draw, column_draw in draws.reshape(4, 10).T:
        fraction = scale[0] + float(area_draw) * (scale[1] - scale[0])
        area = fraction * height * width
        smallest, largest = math.log(3 / 4), math.log(4 / 3)
        ratio = math.exp(smallest + float(ratio_draw) * (largest - smallest))
        rows, columns = round(math.sqrt(area / ratio)), round(math.sqrt(area * ratio))
        if 0 < rows <= height and 0 < columns <= width:
            row = int(float(row_draw) * (height - rows + 1))
            column = int(float(column_draw) * (width - columns + 1))
            return row, column, rows, columns
    return central_window_oracle(height, width)


@given(sides, sides, seeds, scales)
@example(100, 1000, 0, (1.0, 1.0))  # nothing fits
@example(1000, 100, 0, (1.0, 1.0))
@example(1, 1, 0, (0.08, 1.0))
def test_against_python(height, width, seed, scale):
    draws = draws_of(seed)
    assert window_of(height, width, draws, scale) == random_window_oracle(
        height, width, draws, scale
    )


@given(sides, sides, seeds, scales)
def test_the_window_lies_in_the_image(height, width, seed, scale):
    row, column, rows, columns = window_of(height, width, draws_of(seed), scale)
    assert 0 <= row < row + rows <= height
    assert 0 <= column < column + columns <= width


@pytest.mark.parametrize(
    "height, width, expected",
    [
        (100, 400, (0, 133, 100, 133)),
        (400, 100, (133, 0, 133, 100)),
        (300, 400, (0, 0, 300, 400)),
        (400, 301, (0, 0, 400, 301)),
    ],
)
def test_the_middle_is_taken_if_no_try_fits(height, width, expected):
    draws = np.full(RANDOM_WINDOW_DRAWS, 0.999, np.float32)
    assert window_of(height, width, draws, (4.0, 5.0)) == expected


def test_the_tries_after_the_first_that_fits_do_not_count():
    draws = draws_of(0).reshape(4, 10)
    draws[0, :2], draws[0, 2] = 0.999, 0.1  # of the areas: only the third fits
    others = draws.copy()
    others[:, :2], others[:, 3:] = 0.99, 0.5
    window = window_of(300, 300, draws.ravel(), (0.08, 1.5))
    assert window == window_of(300, 300, others.ravel(), (0.08, 1.5))
    assert window != central_window_oracle(300, 300)


def test_areas_and_ratios_cover_their_bounds():
    windows = np.array([window_of(1000, 1000, draws_of(seed)) for seed in range(500)])
    _, _, rows, columns = windows.T
    fractions, ratios = rows * columns / 1e6, columns / rows
    # how near 500 draws come to the bounds
    assert fractions.min() == pytest.approx(0.08, abs=0.01)
    assert fractions.max() == pytest.approx(1.0, abs=0.05)
    assert ratios.min() == pytest.approx(3 / 4, abs=0.01)
    assert ratios.max() == pytest.approx(4 / 3, abs=0.01)
    # 0.48 by 20,000 draws of the oracle, less than 0.54 because large areas fit less
    # often; three deviations of a mean of 500
    assert fractions.mean() == pytest.approx(0.48, abs=0.03)
    assert np.log(ratios).mean() == pytest.approx(0.0, abs=0.02)


@pytest.mark.parametrize("window", [(0, 0, 64, 80), (3, 8, 48, 21), (8, 16, 5, 4)])
def test_a_window_is_cut_out_and_scaled(window):
    generator = np.random.default_rng(0)
    encoded = tf.io.encode_jpeg(
        generator.integers(0, 256, (64, 80, 3), dtype=np.uint8),
        chroma_downsampling=False,  # else outermost colours miss their neighbours
    )
    row, column, rows, columns = window
    pixels = tf.io.decode_jpeg(encoded, dct_method="INTEGER_ACCURATE").numpy()
    expected = scaled(pixels[row : row + rows, column : column + columns], 16, 16)
    result = decode_window(encoded, tf.constant(window), size=16)
    assert result.shape == (16, 16, 3)
    assert result.dtype == tf.float32
    # pixels up to 255 in float32
    np.testing.assert_allclose(result, expected, rtol=0, atol=1e-3)


def test_grey_images_get_three_channels():
    grey = tf.io.encode_jpeg(np.arange(64, dtype=np.uint8).reshape(8, 8, 1))
    result = decode_window(grey, tf.constant([0, 0, 8, 8]), size=8).numpy()
    np.testing.assert_array_equal(result, np.repeat(result[..., :1], 3, axis=-1))
