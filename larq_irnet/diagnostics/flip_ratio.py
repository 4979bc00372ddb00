"""How many weights change their sign in an interval of the training."""

from collections.abc import Sequence

import numpy as np

from larq_irnet.diagnostics.binary_kernels import KernelSnapshot
from larq_irnet.diagnostics.model_share import LayerShare, ModelShare, check_same_model

__all__ = ["flip_ratio", "flipped_weights"]


def flip_ratio(before: np.ndarray, after: np.ndarray) -> float:
    r"""Share of the weights whose signs differ before and after an interval.

    \\[
    \frac{1}{N} \left|\{ i : s_i \neq s'_i \}\right|
    \\]

    A weight that flips and flips back within the interval does not count; Larq's metric
    `flip_ratio` counts in each step. Signs of another scale are the same signs.

    # Arguments
        before: Signs or binary kernel of any shape.
        after: The same later.

    # Returns
        The share, in [0, 1]; NaN if there is NaN.

    # Raises
        ValueError: if shapes differ.

    # Example
        >>> flip_ratio(np.array([1, -1, 1, 1]), np.array([0.5, 0.5, -0.5, 0.5]))
        0.5
    """
    before, after = np.asarray(before), np.asarray(after)
    if before.shape != after.shape:
        raise ValueError(
            f"Expected signs of one shape, got {before.shape} and {after.shape}."
        )
    if np.isnan(before).any() or np.isnan(after).any():
        return float("nan")
    return float(np.mean((before > 0) != (after > 0)))


def flipped_weights(
    before: Sequence[KernelSnapshot], after: Sequence[KernelSnapshot]
) -> ModelShare:
    """Shares of the weights that have flipped, by layer; see `flip_ratio`.

    # Arguments
        before: From `larq_irnet.diagnostics.snapshot`.
        after: The same model later.

    # Raises
        ValueError: if the snapshots are of different models.

    # Example
        >>> import tensorflow as tf
        >>> import larq_irnet as irnet
        >>> layer = irnet.layers.QuantDense(2, quantizer="ste_sign", use_bias=False)
        >>> model = tf.keras.Sequential([tf.keras.Input((10,)), layer])
        >>> before = irnet.diagnostics.snapshot(model)
        >>> layer.set_weights([-before[0].latent])
        >>> flipped_weights(before, irnet.diagnostics.snapshot(model)).total
        1.0
    """
    check_same_model(before, after)
    return ModelShare(
        tuple(
            LayerShare(old.name, old.latent.size, flip_ratio(old.signs, new.signs))
            for old, new in zip(before, after)
        )
    )
