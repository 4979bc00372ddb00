import numpy as np
import pytest

from larq_irnet.diagnostics import sign_map

WHITE, BLACK, ORANGE, BLUE = 235, 40, (255, 150, 40), (40, 110, 220)


def test_blocks_of_a_convolution():
    signs = -np.ones((3, 2, 4, 5))  # [H, W, C_in, C_out]
    signs[2, 1, 3, 1] = 1
    image = sign_map(signs)
    assert image.shape == (5 * 4 - 1, 4 * 3 - 1, 3)
    assert image.dtype == np.uint8
    assert np.argwhere(image[..., 0] == WHITE).tolist() == [[1 * 4 + 2, 3 * 3 + 1]]
    assert (image[3] == 120).all()  # a line


@pytest.mark.parametrize(
    "shape, axes, size",
    [
        ((7, 3), (-1,), (3, 7)),
        ((3, 4, 5), (-1,), (5 * 2 - 1, 4 * 4 - 1)),  # Conv1D
        ((3, 3, 4, 2), (-2, -1), (8 * 4 - 1, 3)),  # depthwise
        ((3, 3, 2, 4), (-2,), (2 * 4 - 1, 4 * 4 - 1)),  # transposed
        ((2, 3, 3, 2, 4), (-1,), (4 * 7 - 1, 2 * 4 - 1)),  # Conv3D
    ],
)
def test_sizes(shape, axes, size):
    assert sign_map(np.ones(shape), filter_axes=axes).shape == (*size, 3)


def test_flips():
    before, after = np.array([[1, -1], [1, -1]]), np.array([[1, 1], [-1, -1]])
    image = sign_map(after, before)
    assert image.tolist() == [
        [[WHITE] * 3, [*BLUE]],
        [[*ORANGE], [BLACK] * 3],
    ]


def test_limit_and_errors():
    assert sign_map(np.ones((100, 70))).shape == (32, 32, 3)
    with pytest.raises(ValueError, match="`limit` to be at least 1, got 0"):
        sign_map(np.ones((2, 2)), limit=0)
    with pytest.raises(ValueError, match=r"one shape, got \(2, 3\) and \(2, 2\)"):
        sign_map(np.ones((2, 2)), np.ones((2, 3)))
