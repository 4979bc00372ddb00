"""Shares of weights, by layer and for a whole model."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from larq_irnet.diagnostics.binary_kernels import KernelSnapshot
from larq_irnet.diagnostics.dead_weights import (
    DEAD_TAU,
    STUCK_THRESHOLD,
    share_outside,
    stuck_share,
)

__all__ = [
    "LayerShare",
    "ModelShare",
    "check_same_model",
    "dead_weights",
    "stuck_weights",
]


class LayerShare(NamedTuple):
    """The share of one kernel.

    # Attributes
        layer: Name of the layer, with that of the kernel if it has several.
        weights: Number of weights.
        share: Share of them, in [0, 1].
    """

    layer: str
    weights: int
    share: float


@dataclass(frozen=True)
class ModelShare:
    """The same share of all binary kernels of a model.

    # Attributes
        layers: One for each kernel.
    """

    layers: tuple[LayerShare, ...]

    @property
    def total(self) -> float:
        """Share of all the weights together; NaN if there are none."""
        weights = sum(layer.weights for layer in self.layers)
        counted = math.fsum(layer.weights * layer.share for layer in self.layers)
        return counted / weights if weights else math.nan


def check_same_model(
    before: Sequence[KernelSnapshot], after: Sequence[KernelSnapshot]
) -> None:
    """Raises a `ValueError` unless two snapshots are of the same kernels."""
    names, names_after = ([one.name for one in kernels] for kernels in (before, after))
    if names != names_after:
        raise ValueError(
            f"Expected snapshots of one model, got those of {names} and {names_after}."
        )


def dead_weights(
    kernels: Sequence[KernelSnapshot], *, tau: float = DEAD_TAU
) -> ModelShare:
    """Shares of the weights outside the quantiles of their layers; see `dead_share`.

    # Arguments
        kernels: From `larq_irnet.diagnostics.snapshot`.
        tau: As for `dead_share`.

    # Raises
        ValueError: if `tau` is outside [0.5, 1).

    # Example
        >>> import numpy as np
        >>> import tensorflow as tf
        >>> import larq_irnet as irnet
        >>> layer = irnet.layers.QuantDense(1, quantizer="recu", use_bias=False)
        >>> model = tf.keras.Sequential([tf.keras.Input((8,)), layer])
        >>> layer.set_weights([np.array([-9, -1, -1, -1, 1, 1, 1, 9.0])[:, None]])
        >>> dead = dead_weights(irnet.diagnostics.snapshot(model), tau=0.9)
        >>> dead.layers
        (LayerShare(layer='quant_dense', weights=8, share=0.25),)
        >>> dead.total
        0.25
    """
    return ModelShare(
        tuple(
            LayerShare(
                kernel.name,
                kernel.latent.size,
                share_outside(kernel.standardized, tau),
            )
            for kernel in kernels
        )
    )


def stuck_weights(
    before: Sequence[KernelSnapshot],
    after: Sequence[KernelSnapshot],
    *,
    threshold: float = STUCK_THRESHOLD,
) -> ModelShare:
    """Shares of the weights that neither flipped nor moved; see `stuck_share`.

    # Arguments
        before: From `larq_irnet.diagnostics.snapshot`.
        after: The same model later.
        threshold: As for `stuck_share`.

    # Raises
        ValueError: if `threshold` is not positive and finite, or the snapshots are of
            different models.

    # Example
        >>> import tensorflow as tf
        >>> import larq_irnet as irnet
        >>> layer = irnet.layers.QuantDense(2, quantizer="recu", use_bias=False)
        >>> model = tf.keras.Sequential([tf.keras.Input((10,)), layer])
        >>> before = irnet.diagnostics.snapshot(model)
        >>> layer.set_weights([-before[0].latent])
        >>> stuck_weights(before, irnet.diagnostics.snapshot(model)).total
        0.0
    """
    check_same_model(before, after)
    return ModelShare(
        tuple(
            LayerShare(
                old.name,
                old.latent.size,
                stuck_share(
                    old.latent,
                    new.latent,
                    threshold=threshold,
                    signs=(old.signs, new.signs),
                ),
            )
            for old, new in zip(before, after)
        )
    )
