"""Draws small grey shapes into colour images: warped, coloured, on a texture.

Whole batches at once, in NumPy. The bits are the same on every machine: all randomness
is taken from uniform numbers, places are computed in float64, and whatever a library
may round otherwise (sines) is rounded to nine digits first.
"""

from dataclasses import dataclass

import numpy as np

__all__ = ["Placement", "between", "blend", "colours", "mask_of", "texture"]

_CELLS = 4  # of the coarse grid of a texture
_INK = (0.3, 0.7)  # below: transparent, above: opaque
_LUMINANCE = np.array([0.299, 0.587, 0.114], np.float32)  # of ITU-R 601


def between(draws: np.ndarray, low: float, high: float) -> np.ndarray:
    """Brings numbers that are uniform in [0, 1) to [low, high)."""
    return low + (high - low) * draws


@dataclass(frozen=True, eq=False)
class Placement:
    """Where shapes lie in their images, one number for each image.

    # Attributes
        row: Of the centre, in pixels from the middle of the first one.
        column: The same along the rows.
        size: Pixels of the image per pixel of the shape.
        angle: Counterclockwise, in radians.
        shear: Columns that a shape leans to the right for each row upwards.
    """

    row: np.ndarray
    column: np.ndarray
    size: np.ndarray
    angle: np.ndarray
    shear: np.ndarray


def _sampled(shapes: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Values between the pixels of shapes [N, h, w], bilinear; zero outside."""
    count, height, width = shapes.shape
    framed = np.zeros((count, height + 2, width + 2), np.float32)
    framed[:, 1:-1, 1:-1] = shapes
    rows = np.clip(rows + 1, 0, height + 1 - 1e-6)  # [N, H, W], within the frame
    columns = np.clip(columns + 1, 0, width + 1 - 1e-6)
    top, left = np.floor(rows), np.floor(columns)
    down, right = (rows - top).astype(np.float32), (columns - left).astype(np.float32)
    first = np.arange(count)[:, None, None] * (height + 2) + top.astype(np.int64)
    first = first * (width + 2) + left.astype(np.int64)
    pixels = framed.ravel()
    upper = pixels[first] * (1 - right) + pixels[first + 1] * right
    first += width + 2
    lower = pixels[first] * (1 - right) + pixels[first + 1] * right
    return upper * (1 - down) + lower * down


def mask_of(shapes: np.ndarray, place: Placement, side: int) -> np.ndarray:
    """How opaque each pixel of an image is where a shape is drawn with a sharp pen.

    # Arguments
        shapes: Ink in [0, 1], float32 [N, h, w].
        place: Where each of them lies.
        side: Height and width of the images.

    # Returns
        Float32 [N, side, side], in [0, 1].

    # Example
        >>> numbers = [1, 1, 1, 0, 0]  # row, column, size, angle, shear
        >>> place = Placement(*(np.array([float(number)]) for number in numbers))
        >>> mask_of(np.ones((1, 1, 1), np.float32), place, side=3)[0].tolist()
        [[0.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 0.0]]
    """
    _, height, width = shapes.shape
    cosine, sine, size, shear, row, column = (
        values.round(9)[:, None, None]
        for values in (
            *(np.cos(place.angle), np.sin(place.angle), place.size),
            *(place.shear, place.row, place.column),
        )
    )
    down = np.arange(side)[:, None] - row  # [N, side, 1]
    right = np.arange(side)[None, :] - column  # [N, 1, side]
    # turned back around the centre, then scaled and sheared back
    shape_rows = (cosine * down + sine * right) / size
    shape_columns = (cosine * right - sine * down) / size + shear * shape_rows
    ink = _sampled(
        shapes, shape_rows + (height - 1) / 2, shape_columns + (width - 1) / 2
    )
    low, high = _INK
    return np.clip((ink - np.float32(low)) / np.float32(high - low), 0, 1)


def colours(luminance: np.ndarray, draws: np.ndarray, chroma: float) -> np.ndarray:
    """Colours of a given luminance.

    # Arguments
        luminance: In [0, 1], [N].
        draws: Uniform in [0, 1), [N, 3].
        chroma: How far red, green and blue may be apart.

    # Returns
        Float32 [N, 3]; slightly outside of [0, 1] where a bright or dark colour is.

    # Example
        >>> colours(np.array([0.5]), np.array([[0.5, 0.5, 0.5]]), 0.4).tolist()
        [[0.5, 0.5, 0.5]]
    """
    offsets = between(draws, -chroma, chroma).astype(np.float32)
    mean = (
        offsets[:, 0] * _LUMINANCE[0]
        + offsets[:, 1] * _LUMINANCE[1]
        + offsets[:, 2] * _LUMINANCE[2]
    )
    return luminance.astype(np.float32)[:, None] + offsets - mean[:, None]


def texture(
    base: np.ndarray, cells: np.ndarray, waves: np.ndarray, side: int
) -> np.ndarray:
    """Coloured backgrounds: smooth patches of colour, and stripes across them.

    # Arguments
        base: The mean colour, float32 [N, 3].
        cells: What is added at the corners of a coarse grid, float32 [N, 5, 5, 3];
            interpolated in between.
        waves: Height, waves per pixel down and to the right, and phase in waves, of
            stripes that are added to all colours, [N, 4].
        side: Height and width of the images.

    # Returns
        Float32 [N, side, side, 3].

    # Example
        >>> base, waves = np.full((1, 3), 0.5, np.float32), np.zeros((1, 4))
        >>> cells = np.zeros((1, 5, 5, 3), np.float32)
        >>> float(texture(base, cells, waves, side=8).std())
        0.0
    """
    places = np.arange(side) * (_CELLS / side)
    corner = places.astype(np.int64)
    part = (places - corner).astype(np.float32)[:, None]
    low = cells[:, corner] * (1 - part[..., None])
    patches = low + cells[:, corner + 1] * part[..., None]  # [N, side, 5, 3]
    low = patches[:, :, corner] * (1 - part)
    patches = low + patches[:, :, corner + 1] * part
    height, down, right, phase = waves.T[:, :, None, None]
    steps = np.arange(side)
    turns = 2 * np.pi * (down * steps[:, None] + right * steps + phase)
    stripes = height * np.sin(turns).round(9)  # [N, side, side]
    return base[:, None, None] + patches + stripes.astype(np.float32)[..., None]


def blend(images: np.ndarray, colour: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Paints each image with one colour, as opaque as a mask tells.

    # Arguments
        images: Float32 [N, H, W, 3].
        colour: Float32 [N, 3].
        mask: Float32 [N, H, W], in [0, 1].
    """
    return images + (colour[:, None, None] - images) * mask[..., None]
