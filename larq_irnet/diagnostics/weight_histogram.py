"""The distribution of a model's latent weights at the end of one epoch."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from larq_irnet.diagnostics.binary_kernels import KernelSnapshot

__all__ = ["EpochHistogram", "epoch_histogram"]

_REACH, _BINS = 6.0, 96  # the widest quantile of ReCU, that of 0.99, is at 3.9


@dataclass(frozen=True)
class EpochHistogram:
    """How many standardised weights lie where, all binary layers together.

    # Attributes
        epoch: The epoch, counted from 0, at whose end they were counted.
        tau: Quantile in force during the epoch.
        reach: The bins are of equal width, from `-reach` to `reach`.
        counts: Weights in each bin.
        beyond: Weights outside all bins, those that are not finite included.
    """

    epoch: int
    tau: float
    reach: float
    counts: tuple[int, ...]
    beyond: int


def epoch_histogram(
    kernels: Sequence[KernelSnapshot], *, epoch: int, tau: float
) -> EpochHistogram:
    """Counts the `standardized_weights` of all binary kernels of a model.

    # Arguments
        kernels: From `larq_irnet.diagnostics.snapshot`.
        epoch: The epoch that has ended, counted from 0.
        tau: Quantile in force.

    # Example
        >>> import larq_irnet as irnet
        >>> import tensorflow as tf
        >>> layer = irnet.layers.QuantDense(1, quantizer="irnet", use_bias=False)
        >>> model = tf.keras.Sequential([tf.keras.Input((4,)), layer])
        >>> layer.set_weights([np.array([[1.0], [1.0], [2.0], [2.0]])])
        >>> kernels = irnet.diagnostics.snapshot(model)
        >>> histogram = epoch_histogram(kernels, epoch=0, tau=0.99)
        >>> [count for count in histogram.counts if count]  # at -1 and 1
        [2, 2]
    """
    counts = np.zeros(_BINS, np.int64)
    for kernel in kernels:
        finite = kernel.standardized[np.isfinite(kernel.standardized)]
        counts += np.histogram(finite, _BINS, (-_REACH, _REACH))[0]
    total = sum(kernel.latent.size for kernel in kernels)
    return EpochHistogram(
        epoch=epoch,
        tau=tau,
        reach=_REACH,
        counts=tuple(counts.tolist()),
        beyond=total - int(counts.sum()),
    )
