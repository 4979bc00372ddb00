"""Changes brightness, contrast, saturation and hue of an image, in random order."""

from collections.abc import Sequence
from typing import NamedTuple

import tensorflow as tf

from zoo.setting_types import is_of_type

__all__ = ["COLOR_JITTER_DRAWS", "ColorJitter", "checked_jitter"]

_STEPS = 4
COLOR_JITTER_DRAWS = 2 * _STEPS  # of the amount and of the place of each step

_LUMINANCE = (0.299, 0.587, 0.114)  # of ITU-R 601, as for grey images in PIL


def _grey(pixels: tf.Tensor) -> tf.Tensor:
    red, green, blue = tf.split(pixels, 3, axis=-1)
    return _LUMINANCE[0] * red + _LUMINANCE[1] * green + _LUMINANCE[2] * blue


def _blend(pixels: tf.Tensor, other: tf.Tensor | float, amount: tf.Tensor) -> tf.Tensor:
    """Goes from `other` (amount 0) over the pixels (1) beyond, within [0, 1]."""
    return tf.clip_by_value(amount * pixels + (1 - amount) * other, 0.0, 1.0)


class ColorJitter(NamedTuple):
    """How far the colours of training images are changed.

    Brightness, contrast and saturation are multiplied by factors from 1 - x to 1 + x,
    where x is the attribute: the image is blended with black, with its mean grey, with
    its grey twin, and clipped to [0, 1]. The hue is turned by up to `hue` of the
    circle, either way. Pixels are real numbers, not rounded in between.

    # Attributes
        brightness: In [0, 1].
        contrast: In [0, 1].
        saturation: In [0, 1].
        hue: In [0, 0.5].
    """

    brightness: float = 0.2
    contrast: float = 0.2
    saturation: float = 0.2
    hue: float = 0.1

    def apply(self, pixels: tf.Tensor, draws: tf.Tensor) -> tf.Tensor:
        """Changes one image.

        # Arguments
            pixels: Float32 [H, W, 3], in [0, 1].
            draws: Numbers in [0, 1), float32 [COLOR_JITTER_DRAWS]: four that set the
                amounts of brightness, contrast, saturation and hue, and four whose
                ranks are the places of these steps.

        # Returns
            Float32 [H, W, 3], in [0, 1].
        """
        amounts = (2 * draws[:_STEPS] - 1) * tf.constant(self)  # around 0
        steps = (
            lambda pixels: _blend(pixels, 0.0, 1 + amounts[0]),
            lambda pixels: _blend(
                pixels, tf.reduce_mean(_grey(pixels)), 1 + amounts[1]
            ),
            lambda pixels: _blend(pixels, _grey(pixels), 1 + amounts[2]),
            lambda pixels: tf.image.adjust_hue(pixels, amounts[3]),
        )
        order = tf.argsort(draws[_STEPS:])
        for place in range(_STEPS):
            pixels = tf.switch_case(
                order[place],
                [lambda step=step, pixels=pixels: step(pixels) for step in steps],
            )
        return pixels


_LARGEST = ColorJitter(brightness=1.0, contrast=1.0, saturation=1.0, hue=0.5)


def checked_jitter(jitter: Sequence[float]) -> ColorJitter:
    """The four numbers of a `ColorJitter`, as read from a file of settings.

    # Raises
        ValueError: unless there are four, each in its range.

    # Example
        >>> checked_jitter([0.4, 0.4, 0.4, 0.0]).saturation
        0.4
    """
    is_jitter = is_of_type(jitter, tuple[float, ...]) and len(jitter) == len(_LARGEST)
    if not is_jitter or not all(0 <= x <= top for x, top in zip(jitter, _LARGEST)):
        raise ValueError(
            "Expected `jitter` to be None or four numbers in [0, 1], the hue in "
            f"[0, 0.5], got {jitter!r}."
        )
    return ColorJitter(*jitter)
