r"""Composes digits into coloured scenes: what is drawn from what distribution.

All draws are independent and uniform. For each scene of 32x32 pixels, in this order:

| what | how |
|---|---|
| background | luminance in [0.25, 0.75], chroma up to 0.15 |
| patches of colour | a grid of 5x5 colours, each up to 0.08 off, interpolated |
| stripes | height in [0, 0.08], up to 0.25 waves per pixel each way, any phase |
| clutter | one to three fragments, 4x4 pixels of any digit of the split |
| each fragment | 1.75 to 2.5 times as large, any place, any angle |
| | colour drawn as that of the digit |
| size of the digit | 2.25 to 3.25 times its 8x8 pixels |
| angle and shear | up to 20 degrees, up to 0.15 columns per row, either way |
| place of the digit | anywhere within the frame |
| its colour | luminance 0.3 to 0.5 off the background, brighter or darker |
| | where both fit, chroma up to 0.25 |
| noise | of each value, triangular, height in [0.02, 0.15] |

A fragment may look like a stroke of a digit, but is a quarter of one at most, and lies
behind it. Values are cut off at [0, 1] and rounded to bytes.
"""

from collections.abc import Sequence

import numpy as np

from zoo.datasets.image_dataset import Split
from zoo.datasets.scene_drawing import (
    Placement,
    between,
    blend,
    colours,
    mask_of,
    texture,
)

__all__ = ["SIDE", "compose_scenes"]

SIDE = 32

_CHUNK = 250  # scenes that are drawn at once
_FRAGMENT = 4  # pixels
_FRAGMENTS = (1, 3)
_WINDOW = 18  # holds the largest fragment at any angle
_LARGEST_ANGLE = np.deg2rad(20)
_BYTE = 255


def _signed(draws: np.ndarray, largest: float) -> np.ndarray:
    return between(draws, -largest, largest)


def _background(
    generator: np.random.Generator, count: int
) -> tuple[np.ndarray, np.ndarray]:
    """Textures [N, 32, 32, 3] and their luminance [N]."""
    luminance = between(generator.random(count), 0.25, 0.75)
    base = colours(luminance, generator.random((count, 3)), 0.15)
    cells = _signed(generator.random((count, 5, 5, 3)), 0.08).astype(np.float32)
    height, down, right, phase = generator.random((4, count))
    waves = np.stack(
        [0.08 * height, _signed(down, 0.25), _signed(right, 0.25), phase], axis=1
    )
    return texture(base, cells, waves, SIDE), luminance


def _ink(generator: np.random.Generator, background: np.ndarray) -> np.ndarray:
    """Colours that stand out from backgrounds of a given luminance, [N, 3]."""
    contrast, side = generator.random((2, len(background)))
    contrast = between(contrast, 0.3, 0.5)
    is_brighter = np.where(
        background + contrast > 1,
        False,
        np.where(background - contrast < 0, True, side < 0.5),
    )
    luminance = background + np.where(is_brighter, contrast, -contrast)
    return colours(luminance, generator.random((len(background), 3)), 0.25)


def _fragments(
    generator: np.random.Generator, digits: np.ndarray, count: int
) -> np.ndarray:
    """Parts of any of the digits, [N, 4, 4]."""
    which, top, left = generator.random((3, count))
    room = digits.shape[1] - _FRAGMENT + 1
    corner = np.arange(_FRAGMENT)
    rows = (top * room).astype(np.int64)[:, None, None] + corner[:, None]
    columns = (left * room).astype(np.int64)[:, None, None] + corner
    return digits[(which * len(digits)).astype(np.int64)[:, None, None], rows, columns]


def _add_fragment(
    generator: np.random.Generator,
    canvas: np.ndarray,
    luminance: np.ndarray,
    digits: np.ndarray,
    is_present: np.ndarray,
) -> None:
    """Draws one fragment into those images of a canvas that get one."""
    shapes = _fragments(generator, digits, len(canvas))
    ink = _ink(generator, luminance)
    row, column, size, turn = generator.random((4, len(canvas)))[:, is_present]
    row, column = (between(place, 0, SIDE - 1) for place in (row, column))
    top, left = (np.floor(place).astype(np.int64) for place in (row, column))
    middle = (_WINDOW - 1) / 2  # of the window that the fragment lies in
    place = Placement(
        row=row - top + middle,
        column=column - left + middle,
        size=between(size, 1.75, 2.5),
        angle=2 * np.pi * turn,
        shear=np.zeros_like(size),
    )
    steps = np.arange(_WINDOW)
    window = (
        np.flatnonzero(is_present)[:, None, None],
        top[:, None, None] + steps[:, None],
        left[:, None, None] + steps,
    )
    mask = mask_of(shapes[is_present], place, _WINDOW)
    canvas[window] = blend(canvas[window], ink[is_present], mask)


def _with_clutter(
    generator: np.random.Generator,
    images: np.ndarray,
    luminance: np.ndarray,
    digits: np.ndarray,
) -> np.ndarray:
    fewest, most = _FRAGMENTS
    present = fewest + (generator.random(len(images)) * (most - fewest + 1)).astype(int)
    frame = _WINDOW // 2
    canvas = np.pad(images, ((0, 0), (frame, frame), (frame, frame), (0, 0)))
    for number in range(most):
        _add_fragment(generator, canvas, luminance, digits, number < present)
    return canvas[:, frame:-frame, frame:-frame]


def _digit_places(generator: np.random.Generator, count: int) -> Placement:
    row, column, size, angle, shear = generator.random((5, count))
    size, angle = between(size, 2.25, 3.25), _signed(angle, _LARGEST_ANGLE)
    turned = np.cos(angle) + np.sin(np.abs(angle))
    reach = np.minimum(3.5 * size * turned, (SIDE - 1) / 2)  # of all its ink, nearly
    return Placement(
        row=between(row, reach, SIDE - 1 - reach),
        column=between(column, reach, SIDE - 1 - reach),
        size=size,
        angle=angle,
        shear=_signed(shear, 0.15),
    )


def _with_noise(generator: np.random.Generator, images: np.ndarray) -> np.ndarray:
    height = between(generator.random(len(images)), 0.02, 0.15).astype(np.float32)
    noise = generator.random(images.shape, np.float32)
    noise -= generator.random(images.shape, np.float32)
    return images + noise * height[:, None, None, None]


def _scenes(
    generator: np.random.Generator, shapes: np.ndarray, digits: np.ndarray
) -> np.ndarray:
    """One scene around each of the shapes, as bytes [N, 32, 32, 3]."""
    images, luminance = _background(generator, len(shapes))
    images = _with_clutter(generator, images, luminance, digits)
    mask = mask_of(shapes, _digit_places(generator, len(shapes)), SIDE)
    images = blend(images, _ink(generator, luminance), mask)
    images = np.clip(_with_noise(generator, images), 0, 1)
    return np.rint(images * np.float32(_BYTE)).astype(np.uint8)


def compose_scenes(digits: Split, count: int, seed: Sequence[int]) -> Split:
    """Scenes with one whole digit each, as the module describes.

    Every digit is used equally often, to one time more or less, in random order.

    # Arguments
        digits: Ink in [0, 1], float32 [N, 8, 8, 1], and classes.
        count: Number of scenes.
        seed: What all draws follow from.

    # Returns
        Scenes as bytes [count, 32, 32, 3], and classes.

    # Example
        >>> digits = Split(np.ones((3, 8, 8, 1), np.float32), np.array([0, 1, 2]))
        >>> scenes = compose_scenes(digits, 7, seed=[1])
        >>> scenes.images.shape, scenes.images.dtype.name
        ((7, 32, 32, 3), 'uint8')
        >>> np.bincount(scenes.labels).tolist()
        [3, 2, 2]
    """
    generator = np.random.default_rng(seed)
    shapes = digits.images[..., 0]
    chosen = np.arange(count) % len(shapes)
    chosen = chosen[np.argsort(generator.random(count), kind="stable")]
    scenes = [
        _scenes(generator, shapes[chosen[start : start + _CHUNK]], shapes)
        for start in range(0, count, _CHUNK)
    ]
    return Split(np.concatenate(scenes), digits.labels[chosen])
