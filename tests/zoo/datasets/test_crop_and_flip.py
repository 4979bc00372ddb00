import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from zoo.datasets.crop_and_flip import CROP_AND_FLIP_DRAWS, crop_and_flip

LARGEST_DRAW = np.float32(1) - np.float32(2**-24)

images_shapes = st.tuples(
    st.integers(1, 4), st.integers(1, 6), st.integers(1, 6), st.integers(1, 3)
)
draws_of_image = st.lists(
    st.floats(0, float(LARGEST_DRAW), width=32), min_size=3, max_size=3
)


def crop_and_flip_oracle(images, draws, padding):
    frame = (0, 0), (padding, padding), (padding, padding), (0, 0)
    padded = np.pad(images, frame)
    height, width = images.shape[1:3]
    result = np.empty_like(images)
    for index, (row_draw, column_draw, flip_draw) in enumerate(draws):
        row = int(np.float32(row_draw) * np.float32(2 * padding + 1))
        column = int(np.float32(column_draw) * np.float32(2 * padding + 1))
        crop = padded[index, row : row + height, column : column + width]
        result[index] = crop[:, ::-1] if flip_draw < 0.5 else crop
    return result


@given(st.data(), images_shapes, st.integers(0, 4))
def test_against_numpy(data, shape, padding):
    count = shape[0]
    draws = data.draw(st.lists(draws_of_image, min_size=count, max_size=count))
    images = np.random.default_rng(0).integers(1, 256, shape, dtype=np.uint8)
    result = crop_and_flip(images, np.float32(draws), padding=padding)
    assert result.dtype == images.dtype
    np.testing.assert_array_equal(result, crop_and_flip_oracle(images, draws, padding))


def shifts_and_flips(draws):
    """Where the crop begins, and whether it is mirrored, read off the result."""
    row, column = np.meshgrid(np.arange(1, 33), np.arange(1, 33), indexing="ij")
    image = np.stack([row, column], axis=-1)[None]
    results = crop_and_flip(np.repeat(image, len(draws), axis=0), draws).numpy()
    for result in results:
        (middle_row, left), (_, right) = result[16, 15], result[16, 16]
        is_flipped = left > right
        yield middle_row - 17, (right if is_flipped else left) - 16, is_flipped


def test_extreme_draws_reach_the_edges_of_the_frame():
    draws = np.array([[0, 0, 0], 3 * [LARGEST_DRAW]], np.float32)
    assert list(shifts_and_flips(draws)) == [(-4, -4, True), (4, 4, False)]


def test_all_crops_are_equally_likely():
    grid = (np.arange(18) + 0.5) / 18
    draws = np.stack(np.meshgrid(grid, grid, [0.25, 0.75]), axis=-1).reshape(-1, 3)
    found = list(shifts_and_flips(draws.astype(np.float32)))
    expected = [
        (row, column, is_flipped)
        for row in range(-4, 5)
        for column in range(-4, 5)
        for is_flipped in (False, True)
    ]
    assert sorted(found) == sorted(4 * expected)


@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.int32])
def test_what_is_outside_is_black(dtype):
    images = np.full((1, 32, 32, 3), 7, dtype)
    result = crop_and_flip(images, np.zeros((1, CROP_AND_FLIP_DRAWS), np.float32))
    expected = np.zeros_like(images)
    expected[:, 4:, :-4] = 7  # above and, once mirrored, right of the image
    np.testing.assert_array_equal(result, expected)
    assert result.dtype == dtype
