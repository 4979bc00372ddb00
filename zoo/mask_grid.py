"""A picture of masks: input, attention and kept pixels, over the epochs."""

from typing import Any

import numpy as np

from zoo.mask_file import Masks

__all__ = ["draw_masks"]

_CELL = 1.1  # inches
_ATTENTION = "viridis"
_ERASED = (0.85, 0.25, 0.25)  # a colour that grey images do not have


def _figure(rows: int, columns: int) -> Any:
    try:
        from matplotlib.figure import Figure  # without a display
    except ImportError as error:
        raise ImportError(
            "Expected matplotlib to draw with, found none. Run "
            "`pip install 'larq-irnet[zoo]'`."
        ) from error
    size = (_CELL * columns + 0.3, _CELL * rows + 1.0)
    figure = Figure(figsize=size, dpi=120, layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False)
    for one in axes.flat:
        one.set_xticks([])
        one.set_yticks([])
    return figure, axes


def _visible(image: np.ndarray) -> np.ndarray:
    """An image in [0, 1] and three colours, from its darkest to its brightest pixel."""
    low, high = image.min(), image.max()
    scaled = (image - low) / (high - low if high > low else 1.0)
    return np.broadcast_to(scaled, (*scaled.shape[:2], 3))


def _without(image: np.ndarray, kept: np.ndarray) -> np.ndarray:
    return np.where(kept[..., np.newaxis], _visible(image), _ERASED)


def draw_masks(masks: Masks, *, images: int | None = None) -> Any:
    """Draws a row for each image: the input, then attention and kept pixels by epoch.

    # Arguments
        masks: Of a run.
        images: How many images, from the first on; `None` for all.

    # Returns
        A `matplotlib.figure.Figure`.

    # Raises
        ImportError: without matplotlib.
        ValueError: for images of other than one or three channels.
    """
    shown = masks.images[:images]
    if shown.shape[-1] not in (1, 3):
        raise ValueError(
            "Expected images of one or three channels to draw, got "
            f"{shown.shape[-1]} channels."
        )
    figure, axes = _figure(len(shown), 1 + 2 * len(masks.snapshots))
    for row, image in zip(axes, shown):
        row[0].imshow(_visible(image), interpolation="nearest")
    axes[0, 0].set_title("input", fontsize=8)
    for number, snapshot in enumerate(masks.snapshots):
        heat, kept = axes[:, 1 + 2 * number], axes[:, 2 + 2 * number]
        for row, image in enumerate(shown):
            # each by itself: what counts is the share of the image's own mean
            heat[row].imshow(
                np.float32(snapshot.attention[row]),
                cmap=_ATTENTION,
                interpolation="nearest",
                vmin=0.0,
            )
            kept[row].imshow(
                _without(image, snapshot.kept[row]), interpolation="nearest"
            )
        share = snapshot.kept[: len(shown)].mean()
        heat[0].set_title(f"epoch {snapshot.epoch + 1}\nattention", fontsize=8)
        kept[0].set_title(f"kept\n{share:.0%}", fontsize=8)
    figure.suptitle(
        "Information restriction: attention from none (dark) to the strongest (bright) "
        "of each image; erased pixels are red",
        fontsize=9,
    )
    return figure
