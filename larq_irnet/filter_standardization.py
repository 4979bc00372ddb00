"""Zero mean and unit deviation for each output filter of a kernel, safely.

The statistics behind Libra-PB and the `BalancedStandardized` constraint. The papers
leave open what happens to a filter whose deviation is zero; here such a filter becomes
all zeros, with a finite gradient, and no NaN or Inf is ever made from finite input.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from larq_irnet.half_precision import widened

__all__ = [
    "StandardizedKernel",
    "elements_per_filter",
    "reduced_axes",
    "standardize_filters",
]


class StandardizedKernel(NamedTuple):
    """A kernel whose filters have zero mean and unit deviation.

    # Attributes
        kernel: The standardised kernel, of the shape of the latent kernel; exactly zero
            in a constant filter.
        inverse_deviation: One over the deviation of each latent filter, with length-1
            axes where the kernel is reduced; 1 for a constant filter.
        is_constant: Which filters are constant up to rounding, of the same shape.
    """

    kernel: tf.Tensor
    inverse_deviation: tf.Tensor
    is_constant: tf.Tensor


def elements_per_filter(kernel_shape: tf.TensorShape, axes: Sequence[int]) -> int:
    """The number of elements \\(n\\) of one filter.

    # Raises
        ValueError: if one of the reduced axes has no static size.
    """
    sizes = [kernel_shape[axis] for axis in axes]
    if None in sizes:
        raise ValueError(
            f"Expected a kernel of static shape, got {kernel_shape}. Build the layer "
            "with known channels."
        )
    return math.prod(sizes)


def reduced_axes(rank: int | None, filter_axes: Sequence[int]) -> list[int]:
    """All axes of a kernel but those that index its filters.

    # Raises
        ValueError: if the rank is unknown or an axis is not within it.
    """
    if rank is None:
        raise ValueError(
            "Expected a kernel of static shape, got one of unknown rank. Build the "
            "layer with known channels."
        )
    out_of_range = [axis for axis in filter_axes if not -rank <= axis < rank]
    if out_of_range:
        raise ValueError(
            f"Expected `filter_axes` within the {rank} axes of the kernel, got "
            f"{tuple(filter_axes)}."
        )
    kept = {axis % rank for axis in filter_axes}
    return [axis for axis in range(rank) if axis not in kept]


def standardize_filters(w: tf.Tensor, axes: Sequence[int]) -> StandardizedKernel:
    r"""Centres each filter and divides it by its unbiased standard deviation.

    \\[
    \hat w = \frac{w - \bar w}{\sigma(w)}, \qquad
    \sigma(w) = \sqrt{\tfrac{1}{n - 1} \textstyle\sum (w - \bar w)^2}
    \\]

    Each filter is divided by its largest magnitude first, so that squares neither
    overflow nor underflow. A filter counts as constant when its deviation is within
    rounding of that magnitude, or its largest magnitude below 1e-19 (in float32).

    # Arguments
        w: Latent kernel with n > 1 elements per filter.
        axes: The axes over which one filter extends.

    # Returns
        The standardised kernel, in float32 where `w` is float16 or bfloat16, else in
        the dtype of `w`.
    """
    w = widened(w)
    n = elements_per_filter(w.shape, axes)
    limits = np.finfo(w.dtype.as_numpy_dtype)
    peak = tf.reduce_max(tf.abs(w), axes, keepdims=True)
    peak = tf.where(peak > math.sqrt(limits.tiny), peak, tf.ones_like(peak))
    relative = w / peak
    centred = relative - tf.reduce_mean(relative, axes, keepdims=True)
    variance = tf.reduce_sum(tf.square(centred), axes, keepdims=True) / (n - 1)
    deviation = tf.sqrt(variance)
    is_constant = deviation <= 16 * limits.eps
    inverse = tf.math.reciprocal(
        tf.where(is_constant, tf.ones_like(deviation), deviation)
    )
    return StandardizedKernel(
        kernel=centred * tf.where(is_constant, tf.zeros_like(inverse), inverse),
        inverse_deviation=tf.where(is_constant, tf.ones_like(inverse), inverse / peak),
        is_constant=is_constant,
    )
