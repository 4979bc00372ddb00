r"""Dead weights: how many weights of a kernel have no part in the training any more.

ReCU calls the weights in the tails of their distribution dead: they are far from the
point where their sign changes. Two shares make that visible for any method. The first
looks at the distribution, the second at what an interval of the training has changed.
"""

import math
from collections.abc import Sequence
from typing import Any

import larq as lq
import numpy as np
import tensorflow as tf

from larq_irnet.filter_standardization import (
    elements_per_filter,
    reduced_axes,
    rounding_of,
)

__all__ = [
    "DEAD_TAU",
    "STUCK_THRESHOLD",
    "check_tau",
    "check_threshold",
    "dead_share",
    "share_outside",
    "standardized_weights",
    "stuck_share",
]

DEAD_TAU = 0.99
STUCK_THRESHOLD = 0.01


def check_tau(tau: float) -> None:
    """Raises a `ValueError` unless `tau` is a quantile at finite distance."""
    if not 0.5 <= tau < 1.0:
        raise ValueError(f"Expected `tau` within [0.5, 1), got {tau!r}.")


def check_threshold(threshold: float) -> None:
    """Raises a `ValueError` unless `threshold` is positive and finite."""
    if not 0.0 < threshold < math.inf:
        raise ValueError(f"Expected 0 < `threshold` < infinity, got {threshold!r}.")


def _in_float64(kernel: tf.Tensor) -> np.ndarray:
    return np.asarray(kernel).astype(np.float64)


def _standardize_filters(w: np.ndarray, axes: Sequence[int], dtype: Any) -> None:
    """As `larq_irnet.filter_standardization.standardize_filters` of kernels of `dtype`.

    In NumPy and in place, as the monitor asks for it at the end of each epoch.
    """
    axes, every = tuple(axes), list(range(w.ndim))
    n = math.prod(w.shape[axis] for axis in axes)
    peak = np.maximum(w.max(axes, keepdims=True), -w.min(axes, keepdims=True))
    # squares neither overflow nor underflow
    w /= np.where(peak > math.sqrt(np.finfo(dtype).tiny), peak, 1)
    w -= w.mean(axes, keepdims=True)
    filters = [axis for axis in every if axis not in axes]
    deviation = np.sqrt(np.einsum(w, every, w, every, filters) / (n - 1))
    deviation = np.expand_dims(deviation, axes)
    is_constant = deviation <= rounding_of(tf.as_dtype(dtype))
    w *= np.where(is_constant, 0, 1 / np.where(is_constant, 1, deviation))


def standardized_weights(
    kernel: tf.Tensor, *, filter_axes: Sequence[int] = (-1,)
) -> np.ndarray:
    r"""Weights centred and standardised by filter, in mean magnitudes of the layer.

    \\[
    v = \frac{\hat w}{E|\hat w|}, \qquad \hat w = \frac{w - \bar w}{\sigma(w)}
    \\]

    with mean and unbiased deviation (n - 1) of each filter, and the mean magnitude
    \\(E|\hat w|\\) of the whole kernel. Shift and scale of a filter make no difference.
    The quantile \\(Q(\tau)\\) of `larq_irnet.quantizers.laplace_quantile` is
    \\(-\ln(2 - 2 \tau)\\) in these units, for every layer and for every \\(b^*\\).

    Unlike ReCU nothing is added to the variance, so that the scale of the latent
    weights has no part in it. A constant filter becomes zero; filters of a single
    element are neither centred nor divided by a deviation. NaN or Inf anywhere in the
    kernel makes all of it NaN.

    # Arguments
        kernel: Latent weights of any rank and floating dtype.
        filter_axes: The axes that index filters, as of `larq_irnet.quantizers.ReCU`.

    # Returns
        An array of the shape of `kernel`, in float64.

    # Raises
        ValueError: if `filter_axes` does not fit the kernel.

    # Example
        >>> weights = standardized_weights([[1.0], [3.0], [5.0], [7.0]])  # one filter
        >>> weights.ravel().round(6).tolist()
        [-1.5, -0.5, 0.5, 1.5]
    """
    given = np.asarray(kernel)
    w = _in_float64(given)
    axes = reduced_axes(w.ndim, filter_axes)
    if not np.isfinite(w).all():
        return np.full_like(w, np.nan)
    if elements_per_filter(tf.TensorShape(w.shape), axes) > 1:
        dtype = np.float64 if given.dtype == np.float64 else np.float32
        _standardize_filters(w, axes, dtype)
    w /= np.abs(w).mean() or 1.0
    return w


def share_outside(standardized: np.ndarray, tau: float) -> float:
    """Share of `standardized_weights` outside a quantile; NaN if there is NaN.

    # Arguments
        standardized: Weights in mean magnitudes of their layer.
        tau: As for `dead_share`.

    # Raises
        ValueError: if `tau` is outside [0.5, 1).
    """
    check_tau(tau)
    if np.isnan(standardized.min(initial=np.inf)):
        return math.nan
    limit = -math.log(2 - 2 * tau)  # `laplace_quantile` of a mean magnitude of 1
    return np.count_nonzero(np.abs(standardized) > limit) / standardized.size


def dead_share(
    kernel: tf.Tensor, *, tau: float = DEAD_TAU, filter_axes: Sequence[int] = (-1,)
) -> float:
    r"""Share of the weights that lie outside the quantiles of their layer.

    \\[
    \frac{1}{N} \left|\{ i : |\hat w_i| > Q(\tau) \}\right|, \qquad
    Q(\tau) = -E|\hat w| \ln(2 - 2 \tau)
    \\]

    with \\(\hat w\\) of `standardized_weights`. Weights from a Laplace distribution
    have the share \\(2 (1 - \tau)\\). While ReCU trains with \\(\tau\\), its clamp
    withholds the direct gradient of just these weights, but for the \\(10^{-5}\\) that
    it adds to the variance.

    The default of \\(\tau\\) is the end of ReCU's schedule, its widest quantile: what
    lies outside is outside in each of its epochs. It is also where the share tells
    tails apart, being 2 % for a Laplace, 0.18 % for a normal and 0 for a uniform
    distribution. With 0.9 it would be about 20 % for all three.

    # Arguments
        kernel: Latent weights of any rank and floating dtype.
        tau: Share of a Laplace distribution below the quantile, in [0.5, 1).
        filter_axes: The axes that index filters, as of `larq_irnet.quantizers.ReCU`.

    # Returns
        The share, in [0, 1]; NaN if there is NaN or Inf in the kernel.

    # Raises
        ValueError: if `tau` is outside [0.5, 1), or `filter_axes` does not fit.

    # Example
        >>> w = np.array([-9.0, -1.0, -1.0, 1.0, 1.0, 9.0])[:, None]  # one filter
        >>> round(dead_share(w, tau=0.9), 3)  # the quantile is at 5.9
        0.333

    # References
        - [ReCU: Reviving the Dead Weights in Binary Neural
            Networks](https://arxiv.org/abs/2103.12369), Eqs. 8, 10 and 11
    """
    return share_outside(standardized_weights(kernel, filter_axes=filter_axes), tau)


def stuck_share(
    before: tf.Tensor,
    after: tf.Tensor,
    *,
    threshold: float = STUCK_THRESHOLD,
    signs: tuple[tf.Tensor, tf.Tensor] | None = None,
) -> float:
    r"""Share of the weights that an interval has neither flipped nor moved.

    \\[
    \frac{1}{N} \left|\{ i : s_i = s'_i \wedge |w'_i - w_i| \leq \theta E|w| \}\right|
    \\]

    for a kernel \\(w\\) with signs \\(s\\) before the interval, \\(w'\\) and \\(s'\\)
    after it, and the mean magnitude \\(E|w|\\) of the kernel before it. Where a
    quantizer centres its filters, a weight may flip because the others move.

    The default of \\(\theta\\) is for intervals of one epoch: a weight of mean
    magnitude that moves less than 1 % in each of them would need over a hundred to
    reach zero. Weight decay moves weights as well.

    # Arguments
        before: Latent weights of any shape and floating dtype.
        after: The same weights later.
        threshold: Movement that counts, relative to the mean magnitude; positive.
        signs: Signs of the binary kernel before and after, of the same shape; `None`
            takes those of the latent weights.

    # Returns
        The share, in [0, 1]; NaN if there is NaN or Inf in one of the kernels.

    # Raises
        ValueError: if `threshold` is not positive and finite, or shapes differ.

    # Example
        >>> before = tf.constant([1.0, -1.0, 0.001, 1.0])
        >>> after = tf.constant([1.0, -1.2, -0.001, 1.001])  # one moves, one flips
        >>> stuck_share(before, after)
        0.5
    """
    check_threshold(threshold)
    w, moved = (_in_float64(kernel) for kernel in (before, after))
    if w.shape != moved.shape:
        raise ValueError(
            f"Expected kernels of one shape, got {w.shape} and {moved.shape}."
        )
    if not (np.isfinite(w).all() and np.isfinite(moved).all()):
        return math.nan
    s, s_moved = (lq.math.sign(w), lq.math.sign(moved)) if signs is None else signs
    moved -= w
    is_near = np.abs(moved, out=moved) <= threshold * np.abs(w).mean()
    return np.count_nonzero(is_near & np.equal(s, s_moved)) / w.size
