"""How far the signs of a filter are from its latent weights."""

from collections.abc import Sequence

import numpy as np

from larq_irnet.filter_standardization import reduced_axes

__all__ = ["quantization_error"]


def quantization_error(
    kernel: np.ndarray,
    signs: np.ndarray,
    *,
    filter_axes: Sequence[int] = (-1,),
    centered: bool = False,
) -> np.ndarray:
    r"""Squared error of the best scaled signs of each filter, relative to its energy.

    \\[
    \min_\alpha \frac{\|w - \alpha s\|^2}{\|w\|^2}
    = 1 - \frac{(w \cdot s)^2}{n \|w\|^2}
    \\]

    for a filter \\(w\\) of \\(n\\) weights with signs \\(s\\). With the best scale,
    methods that scale their signs otherwise, or leave that to the normalisation that
    follows, are measured alike. It is 0 where all magnitudes are equal,
    \\(1 - 2 / \pi \approx 0.363\\) for the signs of a normal distribution around zero,
    0.5 for a Laplace and 0.25 for a uniform one, and 1 where the signs know nothing of
    the weights.

    # Arguments
        kernel: Latent weights of any rank.
        signs: What the layer computes with, -1 and 1, of the same shape.
        filter_axes: The axes that index filters, as of `larq_irnet.quantizers.ReCU`.
        centered: Whether \\(w\\) is the filter without its mean, as its quantizer takes
            it. A filter of a single weight keeps it.

    # Returns
        Float64 in [0, 1] of the shape of the filter axes: 0 for a filter of zeros, and
        NaN where there is NaN or Inf.

    # Raises
        ValueError: if shapes differ, or `filter_axes` does not fit the kernel.

    # Example
        >>> kernel = np.array([[1.0, 3.0], [-1.0, -1.0]])  # two filters
        >>> quantization_error(kernel, np.sign(kernel)).round(6).tolist()
        [0.0, 0.2]

    # References
        - [XNOR-Net: ImageNet Classification Using Binary Convolutional Neural
            Networks](https://arxiv.org/abs/1603.05279), Section 3.1, the best scale
        - [Forward and Backward Information Retention for Accurate Binary Neural
            Networks](https://arxiv.org/abs/1909.10788), Section 3.2
    """
    w, s = np.array(kernel), np.asarray(signs)
    if w.shape != s.shape:
        raise ValueError(
            f"Expected signs of the shape of the kernel, {w.shape}, got {s.shape}."
        )
    is_wide = w.dtype == np.float64
    w = w.astype(np.float64, copy=False)
    every = list(range(w.ndim))
    axes = tuple(reduced_axes(w.ndim, filter_axes))
    kept = [axis for axis in every if axis not in axes]
    with np.errstate(invalid="ignore"):  # Inf becomes NaN
        n = np.prod([w.shape[axis] for axis in axes])
        if centered and n > 1:
            w -= w.mean(axes, keepdims=True)
        if is_wide:
            # in units of the largest: squares neither overflow nor underflow
            peak = np.abs(w).max(axes, keepdims=True)
            w /= np.where(peak == 0, 1, peak)
        energy = np.einsum(w, every, w, every, kept)
        along = np.einsum(w, every, s, every, kept, dtype=np.float64, casting="unsafe")
        found = np.square(along) / (n * np.where(energy == 0, 1, energy))
    return np.where(energy == 0, 0.0, np.clip(1 - found, 0, 1))
