"""Cuts a random part out of an encoded image and scales it to the input size.

The part has a random area and a random aspect ratio, so that a network sees objects in
all sizes. What is outside of it is not decoded.
"""

import math
from collections.abc import Sequence

import tensorflow as tf

from zoo.setting_types import is_of_type

__all__ = [
    "DEFAULT_SCALE",
    "RANDOM_WINDOW_DRAWS",
    "checked_scale",
    "decode_window",
    "random_window",
]

DEFAULT_SCALE = (0.08, 1.0)

_TRIES = 10
_DRAWS_PER_TRY = 4  # of the area, of the aspect ratio, of the row, of the column
RANDOM_WINDOW_DRAWS = _TRIES * _DRAWS_PER_TRY

_LOG_RATIO = math.log(4 / 3)  # aspect ratios lie between 3/4 and 4/3


def checked_scale(scale: Sequence[float]) -> tuple[float, float]:
    """Bounds of the area of a window, as read from a file of settings.

    # Raises
        ValueError: unless they are two growing positive numbers.

    # Example
        >>> checked_scale([0.08, 1.25])
        (0.08, 1.25)
    """
    is_pair = is_of_type(scale, tuple[float, ...]) and len(scale) == 2
    if not is_pair or not 0 < scale[0] <= scale[1] < math.inf:
        raise ValueError(
            "Expected `scale` to be two growing positive numbers, such as (0.08, 1.0), "
            f"got {scale!r}."
        )
    return scale[0], scale[1]


def _central_window(height: tf.Tensor, width: tf.Tensor) -> tf.Tensor:
    """The largest window in the middle whose aspect ratio is in bounds."""
    # rounded as in `random_window`, in float64 like there
    widest = tf.round(tf.cast(height, tf.float64) * 4 / 3)
    highest = tf.round(tf.cast(width, tf.float64) * 4 / 3)
    size = tf.minimum(
        tf.stack([height, width]), tf.cast(tf.stack([highest, widest]), tf.int32)
    )
    return tf.concat([(tf.stack([height, width]) - size) // 2, size], axis=0)


def random_window(
    height: tf.Tensor,
    width: tf.Tensor,
    draws: tf.Tensor,
    *,
    scale: tuple[float, float] = DEFAULT_SCALE,
) -> tf.Tensor:
    """Chooses the part of an image that is cut out.

    Its area is uniform in `scale`, the logarithm of its aspect ratio uniform between
    those of 3/4 and 4/3, its place uniform. Of ten tries, the first that fits in the
    image counts; if none does, it is the largest allowed window in the middle.

    # Arguments
        height: Of the image, int32.
        width: Of the image, int32.
        draws: Numbers in [0, 1), float32 [RANDOM_WINDOW_DRAWS].
        scale: Bounds of its area, as a fraction of the area of the image. The upper one
            may be above 1: then the middle is chosen more often.

    # Returns
        First row, first column, height and width, int32 [4].

    # References
        - [Going deeper with convolutions](https://arxiv.org/abs/1409.4842), Section 6
    """
    tries = tf.cast(tf.reshape(draws, (_DRAWS_PER_TRY, _TRIES)), tf.float64)
    area = (scale[0] + tries[0] * (scale[1] - scale[0])) * tf.cast(
        height * width, tf.float64
    )
    ratio = tf.exp((2 * tries[1] - 1) * _LOG_RATIO)
    sizes = tf.cast(
        tf.round(tf.sqrt(tf.stack([area / ratio, area * ratio], axis=1))), tf.int32
    )  # [10, 2], heights and widths
    room = tf.stack([height, width]) - sizes + 1
    starts = tf.cast(tf.transpose(tries[2:]) * tf.cast(room, tf.float64), tf.int32)
    fits = tf.reduce_all((sizes > 0) & (room > 0), axis=1)

    windows = tf.concat(
        [
            tf.concat([starts, sizes], axis=1),
            _central_window(height, width)[None],
        ],
        axis=0,
    )
    first = tf.argmax(tf.concat([fits, [True]], axis=0))
    return windows[first]


def decode_window(encoded: tf.Tensor, window: tf.Tensor, *, size: int) -> tf.Tensor:
    """Decodes a part of a JPEG image and scales it, bilinear and with antialiasing.

    Where the colours of an image have a lower resolution than its pixels, those of the
    first and last column may differ slightly from the same columns of the whole image:
    what lies beyond them is not decoded.

    # Arguments
        encoded: A JPEG image, a scalar string.
        window: First row, first column, height and width, int32 [4].
        size: Height and width of the result.

    # Returns
        Float32 [size, size, 3], in [0, 255].
    """
    pixels = tf.io.decode_and_crop_jpeg(
        encoded, window, channels=3, dct_method="INTEGER_ACCURATE"
    )
    return tf.image.resize(pixels, (size, size), antialias=True)
