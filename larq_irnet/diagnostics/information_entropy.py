r"""How much information signs carry: at most one bit each, if both are equally likely.

IR-Net argues with it for balanced weights: a filter whose signs are nearly all the same
says little, and so does a channel of activations that is nearly always on.
"""

from collections.abc import Sequence

import numpy as np

__all__ = [
    "activation_balance",
    "activation_entropy",
    "binary_balance",
    "binary_entropy",
    "weight_entropy",
]


def binary_entropy(share: np.ndarray) -> np.ndarray:
    r"""Entropy of a variable that takes one of two values.

    \\[
    H(p) = -p \log_2 p - (1 - p) \log_2 (1 - p), \qquad H(0) = H(1) = 0
    \\]

    # Arguments
        share: How often the one value is taken, \\(p\\) in [0, 1], of any shape.

    # Returns
        Bits in [0, 1], float64 of the shape of `share`; NaN where it is NaN.

    # Raises
        ValueError: if a share is outside [0, 1].

    # Example
        >>> binary_entropy(np.array([0.0, 0.25, 0.5])).round(3).tolist()
        [0.0, 0.811, 1.0]

    # References
        - [A Mathematical Theory of
            Communication](https://doi.org/10.1002/j.1538-7305.1948.tb01338.x),
            Section 6
    """
    p = _checked_share(share)
    terms = []
    for part in (p, 1 - p):
        # the logarithm of zero has no part in it
        terms.append(-part * np.log2(np.where(part > 0, part, 1)))
    return terms[0] + terms[1] + 0.0  # no negative zero


def binary_balance(share: np.ndarray) -> np.ndarray:
    r"""How balanced a variable of two values is.

    \\[
    1 - |E[s]| = 2 \min(p, 1 - p)
    \\]

    with the mean \\(E[s]\\) of signs that are +1 with the share \\(p\\).

    # Arguments
        share: How often the one value is taken, \\(p\\) in [0, 1], of any shape.

    # Returns
        Float64 of the shape of `share`: 1 where both are equally frequent, 0 where
        there is one; NaN where it is NaN.

    # Raises
        ValueError: if a share is outside [0, 1].

    # Example
        >>> binary_balance(np.array([0.0, 0.25, 0.5])).tolist()
        [0.0, 0.5, 1.0]
    """
    p = _checked_share(share)
    return 2 * np.minimum(p, 1 - p)


def _checked_share(share: np.ndarray) -> np.ndarray:
    p = np.asarray(share, np.float64)
    if np.any((p < 0) | (p > 1)):
        raise ValueError(f"Expected shares in [0, 1], got {p.min()} to {p.max()}.")
    return p


def _share_positive(signs: np.ndarray, kept: Sequence[int]) -> np.ndarray:
    """The share of +1 over all axes but some."""
    signs = np.asarray(signs)
    out_of_range = [axis for axis in kept if not -signs.ndim <= axis < signs.ndim]
    if out_of_range:
        raise ValueError(
            f"Expected axes within the {signs.ndim} of the signs, got {tuple(kept)}."
        )
    axes = {axis % signs.ndim for axis in kept}
    reduced = tuple(axis for axis in range(signs.ndim) if axis not in axes)
    return np.mean(signs > 0, axis=reduced, dtype=np.float64)


def weight_entropy(
    signs: np.ndarray, *, filter_axes: Sequence[int] = (-1,)
) -> np.ndarray:
    r"""Entropy of the binary weights of each filter.

    `binary_entropy` of the share of weights that are +1. Of \\(n\\) weights in random
    signs it is \\(1 - 1 / (2 n \ln 2)\\) on average, nearly.

    # Arguments
        signs: Binary kernel of any rank, of positive and negative numbers.
        filter_axes: The axes that index filters, as of `larq_irnet.quantizers.ReCU`.

    # Returns
        Bits in [0, 1], float64, of the shape of the filter axes.

    # Raises
        ValueError: if `filter_axes` does not fit the kernel.

    # Example
        >>> signs = np.array([[1, 1], [1, -1], [1, 1], [1, -1]])  # two filters
        >>> weight_entropy(signs).tolist()
        [0.0, 1.0]

    # References
        - [Forward and Backward Information Retention for Accurate Binary Neural
            Networks](https://arxiv.org/abs/1909.10788), Section 3.2
    """
    return binary_entropy(_share_positive(signs, filter_axes))


def activation_entropy(signs: np.ndarray) -> np.ndarray:
    """Entropy of the binary activations of each channel.

    `binary_entropy` of the share of +1 over all samples and places.

    # Arguments
        signs: Binary activations [..., C], of positive and negative numbers.

    # Returns
        Bits in [0, 1], float64 [C].

    # Example
        >>> signs = np.array([[1, 1, -1], [1, -1, -1], [1, 1, 1], [1, -1, -1]])
        >>> activation_entropy(signs).round(3).tolist()
        [0.0, 1.0, 0.811]

    # References
        - [Forward and Backward Information Retention for Accurate Binary Neural
            Networks](https://arxiv.org/abs/1909.10788), Section 3.2
    """
    return binary_entropy(_share_positive(signs, (-1,)))


def activation_balance(signs: np.ndarray) -> np.ndarray:
    """How balanced the binary activations of each channel are.

    `binary_balance` of the share of +1 over all samples and places.

    # Arguments
        signs: Binary activations [..., C], of positive and negative numbers.

    # Returns
        Float64 [C]: 1 where both signs are equally frequent, 0 where there is one.

    # Example
        >>> signs = np.array([[1, 1, -1], [1, -1, -1], [1, 1, 1], [1, -1, -1]])
        >>> activation_balance(signs).tolist()
        [0.0, 1.0, 0.5]
    """
    return binary_balance(_share_positive(signs, (-1,)))
