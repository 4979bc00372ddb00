r"""Information restriction: keeps the pixels that a network attends to.

A binary network has less capacity than its input has information. So it is trained
with a second copy of every image, from which those pixels are erased that its own last
features do not answer to.
"""

import math
from collections.abc import Callable, Sequence

import tensorflow as tf

from larq_irnet.half_precision import widened

__all__ = [
    "NORMALIZATIONS",
    "attention_erase",
    "attention_map",
    "attention_mask",
    "check_fill",
    "check_normalize",
    "check_threshold",
]

# the axes of [N, h, w] over which attention has the length 1
_NORMALIZED_AXES = {"column": [1], "image": [1, 2]}
NORMALIZATIONS = tuple(_NORMALIZED_AXES)

_SMALLEST_LENGTH = 1e-12


def check_threshold(threshold: float) -> None:
    """Raises a `ValueError` unless 0 < `threshold` < 1."""
    is_number = isinstance(threshold, (int, float))
    if not is_number or not 0.0 < threshold < 1.0:
        raise ValueError(
            "Expected `threshold` to be a share of the mean attention, between 0 and 1 "
            f"(the authors: 0.15), got {threshold!r}."
        )


def check_normalize(normalize: str) -> None:
    """Raises a `ValueError` unless `normalize` is one of `NORMALIZATIONS`."""
    if normalize not in NORMALIZATIONS:
        raise ValueError(
            f"Expected `normalize` out of {list(NORMALIZATIONS)}, got {normalize!r}."
        )


def check_fill(fill: float | Sequence[float]) -> None:
    """Raises a `ValueError` unless `fill` is one finite number or several."""
    values = fill if isinstance(fill, (list, tuple)) else [fill]
    numbers = [one for one in values if isinstance(one, (int, float))]
    if not values or len(numbers) < len(values) or not all(map(math.isfinite, numbers)):
        raise ValueError(
            "Expected `fill` to be a finite number, or one for each channel, got "
            f"{fill!r}."
        )


def _check_rank(name: str, x: tf.Tensor, meaning: str) -> None:
    if x.shape.rank != 4:
        raise ValueError(f"Expected `{name}` to be {meaning}, got the shape {x.shape}.")


def _size(x: tf.Tensor, axis: int) -> int | tf.Tensor:
    """Of an axis, as a number where it is known."""
    known = x.shape[axis]
    return tf.shape(x)[axis] if known is None else known


def _interpolated(x: tf.Tensor, size: int | tf.Tensor, axis: int) -> tf.Tensor:
    """Linear interpolation along an axis whose first and last points stay the ends."""
    last = _size(x, axis) - 1
    steps = tf.cast(tf.maximum(size - 1, 1), x.dtype)
    position = tf.cast(tf.range(size), x.dtype) * (tf.cast(last, x.dtype) / steps)
    below = tf.cast(position, tf.int32)  # positive: the floor
    share = position - tf.cast(below, x.dtype)
    share = tf.reshape(share, [-1 if i == axis else 1 for i in range(x.shape.rank)])
    # by hand: tf.image.resize interpolates between the centres of pixels
    above = tf.gather(x, tf.minimum(below + 1, last), axis=axis)
    return tf.gather(x, below, axis=axis) * (1 - share) + above * share


def attention_map(
    features: tf.Tensor,
    size: tuple[int, int],
    *,
    normalize: str = "column",
) -> tf.Tensor:
    r"""How strongly features answer to each pixel of an image.

    With the features \\(F\\) of \\(C\\) channels, for each image

    \\[
    A_{yx} = \frac{1}{C} \sum_c F_{yxc}^2, \qquad
    \hat A_{yx} = \frac{A_{yx}}{\max(\lVert A \rVert, 10^{-12})}, \qquad
    M = \mathrm{bilinear}(\hat A)
    \\]

    where the interpolation maps the corners of \\(\hat A\\) to the corners of the
    image. The authors' code takes the norm of each column \\(A_{\cdot x}\\) by itself;
    with `normalize="image"` it is that of the whole image, which is what the
    operation is for. No gradient flows to the features. They are taken to float32 from
    half precision.

    # Arguments
        features: [N, h, w, C].
        size: Height and width of the image.
        normalize: "column" or "image".

    # Returns
        \\(M\\), [N, height, width], in float32 or float64.

    # Raises
        ValueError: for features of another rank, or another `normalize`.

    # Example
        >>> features = tf.reshape(tf.constant([3.0, 0.0, 4.0, 0.0]), (1, 2, 2, 1))
        >>> attention_map(features, (3, 2), normalize="column")[0].numpy().round(3)
        array([[0.49 , 0.   ],
               [0.681, 0.   ],
               [0.872, 0.   ]], dtype=float32)

    # References
        - [IR2Net: Information Restriction and Information Recovery for Accurate Binary
            Neural Networks](https://arxiv.org/abs/2210.02637), the authors' code
        - [Paying More Attention to Attention](https://arxiv.org/abs/1612.03928)
    """
    check_normalize(normalize)
    features = tf.stop_gradient(widened(tf.convert_to_tensor(features)))
    _check_rank("features", features, "[N, h, w, C]")
    attention = tf.reduce_mean(tf.square(features), axis=-1)  # [N, h, w]
    axes = _NORMALIZED_AXES[normalize]
    length = tf.sqrt(tf.reduce_sum(tf.square(attention), axis=axes, keepdims=True))
    attention /= tf.maximum(length, tf.cast(_SMALLEST_LENGTH, length.dtype))
    rows = _interpolated(attention, size[0], axis=1)
    return _interpolated(rows, size[1], axis=2)


def attention_mask(
    features: tf.Tensor,
    size: tuple[int, int],
    *,
    threshold: float = 0.15,
    normalize: str = "column",
) -> tf.Tensor:
    r"""Which pixels are kept: \\(M > \lambda\\,\mathrm{mean}(M)\\).

    The mean is over the pixels of each image. Where all features of an image are zero
    nothing is kept.

    # Arguments
        features: [N, h, w, C].
        size: Height and width of the image.
        threshold: \\(\lambda\\), between 0 and 1.
        normalize: As for `attention_map`.

    # Returns
        A boolean tensor [N, height, width, 1].

    # Raises
        ValueError: as `attention_map`, and for a `threshold` out of its range.

    # Example
        >>> features = tf.reshape(tf.constant([3.0, 0.0, 4.0, 0.0]), (1, 2, 2, 1))
        >>> attention_mask(features, (2, 2))[0, ..., 0].numpy()
        array([[ True, False],
               [ True, False]])

    # References
        - [IR2Net: Information Restriction and Information Recovery for Accurate Binary
            Neural Networks](https://arxiv.org/abs/2210.02637), the authors' code
    """
    check_threshold(threshold)
    attention = attention_map(features, size, normalize=normalize)
    mean = tf.reduce_mean(attention, axis=[1, 2], keepdims=True)
    return tf.expand_dims(attention > threshold * mean, -1)


def attention_erase(
    images: tf.Tensor,
    features: tf.Tensor,
    *,
    threshold: float = 0.15,
    normalize: str = "column",
    fill: float | Sequence[float] = 0.0,
    orient: Callable[[tf.Tensor], tf.Tensor] | None = None,
) -> tf.Tensor:
    r"""Images without the pixels that features do not answer to.

    \\[
    x'_{yxc} = \begin{cases}
      x_{yxc} & M_{yx} > \lambda\\,\mathrm{mean}(M) \\\
      fill_c & \text{else}
    \end{cases}
    \\]

    Nothing flows through the mask; the gradient with respect to the images is 1 where
    they are kept and 0 elsewhere.

    # Arguments
        images: [N, H, W, C_images], as the network takes them.
        features: [N, h, w, C], what the network made of the same images.
        threshold: \\(\lambda\\), between 0 and 1.
        normalize: "column" as in the authors' code, or "image"; see `attention_map`.
        fill: What erased pixels become, one number or one for each channel. 0 is the
            mean colour where images are normalised before the network.
        orient: Takes a mask [N, H, W, 1] from the orientation of the features to that
            of the images, where the network turns or mirrors them; `None` if it does
            not.

    # Returns
        Images of the same shape and dtype.

    # Raises
        ValueError: as `attention_mask`, and for images of another rank.

    # Example
        >>> images = tf.reshape(tf.constant([1.0, 2.0, 3.0, 4.0]), (1, 2, 2, 1))
        >>> features = tf.reshape(tf.constant([3.0, 0.0, 4.0, 0.0]), (1, 2, 2, 1))
        >>> attention_erase(images, features)[0, ..., 0].numpy()
        array([[1., 0.],
               [3., 0.]], dtype=float32)

    # References
        - [IR2Net: Information Restriction and Information Recovery for Accurate Binary
            Neural Networks](https://arxiv.org/abs/2210.02637), the authors' code
    """
    images = tf.convert_to_tensor(images)
    _check_rank("images", images, "[N, H, W, C]")
    mask = attention_mask(
        features,
        (_size(images, 1), _size(images, 2)),
        threshold=threshold,
        normalize=normalize,
    )
    mask = mask if orient is None else orient(mask)
    others = tf.cast(tf.constant(fill, tf.float64), images.dtype)
    return tf.where(mask, images, others)
