"""The signs of a kernel as an image, to look at."""

from collections.abc import Sequence

import numpy as np

__all__ = ["sign_map"]

_COLOURS = np.array(
    [
        [(40, 40, 40), (235, 235, 235)],  # -1, +1
        [(40, 110, 220), (255, 150, 40)],  # what has just flipped to -1, to +1
    ],
    np.uint8,
)
_LINE = (120, 120, 120)


def _blocks(kernel: np.ndarray, filter_axes: Sequence[int]) -> np.ndarray:
    """[filters, channels, rows, columns]."""
    rank = kernel.ndim
    first = sorted(axis % rank for axis in filter_axes)
    rest = [axis for axis in range(rank) if axis not in first]
    has_channels = len(first) == 1 and bool(rest)
    channels = [rest.pop()] if has_channels else []
    ordered = kernel.transpose([*first, *channels, *rest])
    filters = np.prod([kernel.shape[axis] for axis in first], dtype=int)
    width = kernel.shape[rest[-1]] if rest else 1
    inputs = kernel.shape[channels[0]] if channels else 1
    return ordered.reshape(filters, inputs, -1, width)


def sign_map(
    signs: np.ndarray,
    before: np.ndarray | None = None,
    *,
    filter_axes: Sequence[int] = (-1,),
    limit: int = 32,
) -> np.ndarray:
    """Draws the signs of a kernel: a row of blocks for each filter.

    A block shows the weights of one input channel as they lie in the plane, with lines
    in between; the weights of a dense layer are single pixels. White is +1, black is
    -1; orange has just become +1, blue has just become -1.

    # Arguments
        signs: Binary kernel of any rank, of positive and negative numbers.
        before: The same earlier; `None` marks no flips.
        filter_axes: The axes that index filters, as of `larq_irnet.quantizers.ReCU`.
        limit: How many filters, and of each how many channels, are drawn at most.

    # Returns
        Bytes [H, W, 3].

    # Raises
        ValueError: if shapes differ, or `limit` is below 1.

    # Example
        >>> signs = np.array([[1, -1], [-1, -1], [1, 1]])  # two filters of three
        >>> sign_map(signs)[..., 0].tolist()
        [[235, 40, 235], [40, 40, 235]]
    """
    if before is not None and np.shape(before) != np.shape(signs):
        raise ValueError(
            f"Expected signs of one shape, got {np.shape(before)} and "
            f"{np.shape(signs)}."
        )
    if limit < 1:
        raise ValueError(f"Expected `limit` to be at least 1, got {limit!r}.")
    is_positive = _blocks(np.asarray(signs) > 0, filter_axes)[:limit, :limit]
    has_flipped = np.zeros_like(is_positive)
    if before is not None:
        was_positive = _blocks(np.asarray(before) > 0, filter_axes)[:limit, :limit]
        has_flipped = is_positive != was_positive
    colours = _COLOURS[has_flipped.astype(np.intp), is_positive.astype(np.intp)]
    filters, channels, height, width, _ = colours.shape
    gap = int(height * width > 1)
    framed = np.empty((filters, channels, height + gap, width + gap, 3), np.uint8)
    framed[:] = _LINE
    framed[:, :, :height, :width] = colours
    rows = framed.transpose(0, 2, 1, 3, 4).reshape(
        filters * (height + gap), channels * (width + gap), 3
    )
    return rows[: len(rows) - gap, : rows.shape[1] - gap]
