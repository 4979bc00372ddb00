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
    "FilterStatistics",
    "StandardizedKernel",
    "elements_per_filter",
    "filter_statistics",
    "reduced_axes",
    "rounding_of",
    "standardize_filters",
]


class FilterStatistics(NamedTuple):
    """Filters in units of their largest magnitude, whose squares do not overflow.

    # Attributes
        peak: The largest magnitude of each filter, with length-1 axes where the kernel
            is reduced; 1 for a filter whose magnitudes are below 1e-19 (in float32).
        relative: The kernel over `peak`.
        centred: The same without the mean of each filter.
        variance: Unbiased, of `relative`.
        is_constant: Where the deviation is within rounding.
    """

    peak: tf.Tensor
    relative: tf.Tensor
    centred: tf.Tensor
    variance: tf.Tensor
    is_constant: tf.Tensor


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


def rounding_of(dtype: tf.DType) -> float:
    """What a deviation relative to the largest magnitude may be by rounding alone."""
    return 16 * float(np.finfo(dtype.as_numpy_dtype).eps)


def filter_statistics(w: tf.Tensor, axes: Sequence[int]) -> FilterStatistics:
    """Mean and variance of each filter, for magnitudes of any size.

    # Arguments
        w: Latent kernel with n > 1 elements per filter, not in half precision.
        axes: The axes over which one filter extends.
    """
    n = elements_per_filter(w.shape, axes)
    smallest = math.sqrt(np.finfo(w.dtype.as_numpy_dtype).tiny)
    peak = tf.reduce_max(tf.abs(w), axes, keepdims=True)
    peak = tf.where(peak > smallest, peak, tf.ones_like(peak))
    relative = w / peak
    centred = relative - tf.reduce_mean(relative, axes, keepdims=True)
    variance = tf.reduce_sum(tf.square(centred), axes, keepdims=True) / (n - 1)
    return FilterStatistics(
        peak=peak,
        relative=relative,
        centred=centred,
        variance=variance,
        is_constant=tf.sqrt(variance) <= rounding_of(w.dtype),
    )


def standardize_filters(w: tf.Tensor, axes: Sequence[int]) -> StandardizedKernel:
    r"""Centres each filter and divides it by its unbiased standard deviation.

    \\[
    \hat w = \frac{w - \bar w}{\sigma(w)}, \qquad
    \sigma(w) = \sqrt{\tfrac{1}{n - 1} \textstyle\sum (w - \bar w)^2}
    \\]

    Squares neither overflow nor underflow. A filter counts as constant when its
    deviation is within rounding of its largest magnitude, or that magnitude below 1e-19
    (in float32).

    # Arguments
        w: Latent kernel with n > 1 elements per filter.
        axes: The axes over which one filter extends.

    # Returns
        The standardised kernel, in float32 where `w` is float16 or bfloat16, else in
        the dtype of `w`.
    """
    statistics = filter_statistics(widened(w), axes)
    deviation = tf.sqrt(statistics.variance)
    is_constant = statistics.is_constant
    inverse = tf.math.reciprocal(
        tf.where(is_constant, tf.ones_like(deviation), deviation)
    )
    return StandardizedKernel(
        kernel=statistics.centred
        * tf.where(is_constant, tf.zeros_like(inverse), inverse),
        inverse_deviation=tf.where(
            is_constant, tf.ones_like(inverse), inverse / statistics.peak
        ),
        is_constant=is_constant,
    )
