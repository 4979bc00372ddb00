"""The deviation of a Laplace distribution for each output filter of a kernel, safely.

The statistics of ReCU. Unlike those of Libra-PB in `filter_standardization` they add a
small number to the variance, so that a filter of tiny weights stays small, and centring
is a choice. No NaN or Inf is ever made from finite input.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import tensorflow as tf

from larq_irnet.filter_standardization import (
    elements_per_filter,
    filter_statistics,
    rounding_of,
)
from larq_irnet.half_precision import widened

__all__ = ["NormalizedKernel", "normalization_gradient", "normalize_filters"]

_EPSILON = 1e-5


class NormalizedKernel(NamedTuple):
    r"""A kernel before it is clamped, and what its gradient needs.

    # Attributes
        kernel: Of deviation \\(\sqrt 2 b^*\\) in each filter.
        centred: The same without the mean of each filter; exactly zero in a constant
            filter.
        multiplier: \\(\sqrt 2 b^*\\) over the deviation of each latent filter, with
            length-1 axes where the kernel is reduced.
    """

    kernel: tf.Tensor
    centred: tf.Tensor
    multiplier: tf.Tensor


def normalize_filters(
    w: tf.Tensor, axes: Sequence[int], b_star: float, centered: bool
) -> NormalizedKernel:
    r"""Brings each filter to the deviation of a Laplace distribution.

    \\[
    \hat w = \sqrt 2 b^* \frac{w - \bar w}{\sqrt{\sigma^2(w) + 10^{-5}}}
    \\]

    with the unbiased variance. Squares neither overflow nor underflow. A filter counts
    as constant when its deviation is within rounding of its largest magnitude, or that
    magnitude below 1e-19 (in float32). A filter of a single element stays as it is.

    # Arguments
        w: Latent kernel.
        axes: The axes over which one filter extends.
        b_star: Scale of the Laplace distribution.
        centered: Whether filters lose their mean; else \\(\bar w\\) is left out above.

    # Returns
        The normalised kernel, in float32 where `w` is float16 or bfloat16, else in the
        dtype of `w`.
    """
    w = widened(w)
    n = elements_per_filter(w.shape, axes)
    if n == 1:
        return NormalizedKernel(w, tf.zeros_like(w), tf.ones_like(w))
    statistics = filter_statistics(w, axes)
    peak, centred = statistics.peak, statistics.centred
    # the floor only keeps the deviation of huge constant filters off zero
    variance = tf.maximum(
        statistics.variance + _EPSILON / tf.square(peak), rounding_of(w.dtype) ** 2
    )
    multiplier = math.sqrt(2.0) * b_star * tf.math.reciprocal(tf.sqrt(variance))
    centred *= tf.where(statistics.is_constant, tf.zeros_like(multiplier), multiplier)
    return NormalizedKernel(
        kernel=centred if centered else statistics.relative * multiplier,
        centred=centred,
        multiplier=multiplier / peak,
    )


def normalization_gradient(
    h: tf.Tensor,
    normalized: NormalizedKernel,
    axes: Sequence[int],
    b_star: float,
    centered: bool,
) -> tf.Tensor:
    """The gradient through mean and deviation, of `h` in place of dL/dkernel."""
    n = elements_per_filter(h.shape, axes)
    if n == 1:
        return h
    along = tf.reduce_sum(h * normalized.kernel, axes, keepdims=True)
    deviation = math.sqrt(2.0) * b_star
    radial = normalized.centred * (along / (deviation * (n - 1)) / deviation)
    if centered:
        h -= tf.reduce_mean(h, axes, keepdims=True)
    return (h - radial) * normalized.multiplier
