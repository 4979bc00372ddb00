import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from zoo.datasets.scene_drawing import (
    Placement,
    between,
    blend,
    colours,
    mask_of,
    texture,
)

LUMINANCE = np.array([0.299, 0.587, 0.114])


def placement(*, row=3.0, column=3.0, size=1.0, angle=0.0, shear=0.0):
    values = (row, column, size, angle, shear)
    return Placement(*(np.array([value], np.float64) for value in values))


def drawn(shape, side=7, **place):
    return mask_of(np.array([shape], np.float32), placement(**place), side)[0]


CORNER = [[1, 0, 0], [0, 0, 0], [0, 0, 0]]  # ink at the top left


def test_a_shape_lies_around_its_centre():
    mask = drawn(CORNER, row=4, column=2)
    assert mask[3, 1] == 1
    assert mask.sum() == 1


@pytest.mark.parametrize(
    "quarters, pixel", [(1, (4, 2)), (2, (4, 4)), (3, (2, 4)), (4, (2, 2))]
)
def test_angles_are_counterclockwise(quarters, pixel):
    mask = drawn(CORNER, angle=quarters * np.pi / 2)
    assert mask[pixel] == pytest.approx(1)
    assert mask.sum() == pytest.approx(1)


def test_shear_leans_to_the_right_above_the_centre():
    mask = drawn([[0, 1, 0], [0, 1, 0], [0, 1, 0]], shear=1.0)
    assert np.argwhere(mask == 1).tolist() == [[2, 4], [3, 3], [4, 2]]


@given(
    st.floats(1, 3), st.floats(0, 6.3), st.floats(5, 15), st.floats(5, 15), st.data()
)
def test_ink_stays_within_the_reach_of_its_shape(size, angle, row, column, data):
    height, width = (data.draw(st.integers(1, 3)) for _ in range(2))
    place = {"row": row, "column": column, "size": size, "angle": angle}
    mask = drawn(np.ones((height, width)), side=20, **place)
    assert mask.min() >= 0 and mask.max() <= 1
    rows, columns = np.nonzero(mask)
    distance = np.hypot(rows - row, columns - column)
    reach = size * np.hypot((height + 1) / 2, (width + 1) / 2)
    assert (distance <= reach + 1e-9).all()


def test_nothing_is_drawn_outside_of_the_image():
    assert drawn(np.ones((3, 3)), row=-9, column=30).sum() == 0


@given(st.floats(0, 1), st.lists(st.floats(0, 0.999), min_size=3, max_size=3))
def test_colours_have_their_luminance(luminance, draws):
    colour = colours(np.array([luminance]), np.array([draws]), 0.25)
    assert colour.dtype == np.float32
    # float32
    assert (colour @ LUMINANCE)[0] == pytest.approx(luminance, abs=1e-6)
    assert np.ptp(colour) <= 0.5 + 1e-6


def test_patches_are_interpolated_between_the_corners():
    base = np.array([[0.5, 0.25, 0.75]], np.float32)
    cells = np.zeros((1, 5, 5, 3), np.float32)
    cells[0, 1, 2] = 0.125
    image = texture(base, cells, np.zeros((1, 4)), side=8)[0] - base[0]
    assert image.shape == (8, 8, 3)
    np.testing.assert_array_equal(image[2, 4], [0.125] * 3)
    np.testing.assert_array_equal(image[1, 4], [0.0625] * 3)
    np.testing.assert_array_equal(image[1, 3], [0.03125] * 3)
    assert image[[0, 4, 5, 6, 7]].max() == 0


def test_stripes():
    waves = np.array([[0.5, 0.25, 0.0, 0.0]])  # one wave over four rows
    image = texture(
        np.zeros((1, 3), np.float32), np.zeros((1, 5, 5, 3), np.float32), waves, side=4
    )[0]
    expected = np.array([0, 0.5, 0, -0.5])[:, None, None] * np.ones((4, 4, 3))
    np.testing.assert_allclose(image, expected, atol=1e-7)  # float32


def test_blending():
    images = np.zeros((1, 1, 3, 3), np.float32)
    mask = np.array([[[0, 0.5, 1]]], np.float32)
    painted = blend(images, np.array([[1, 0.5, 0]], np.float32), mask)
    assert painted[0, 0].tolist() == [[0, 0, 0], [0.5, 0.25, 0], [1, 0.5, 0]]


def test_between():
    assert between(np.array([0, 0.5]), -2, 4).tolist() == [-2, 1]
