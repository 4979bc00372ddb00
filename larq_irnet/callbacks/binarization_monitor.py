"""Diagnostics of the binary weights at the end of each epoch."""

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from larq_irnet.diagnostics import (
    DEAD_TAU,
    STUCK_THRESHOLD,
    BinaryKernel,
    EpochHistogram,
    KernelSnapshot,
    binary_kernels,
    dead_weights,
    epoch_histogram,
    stuck_weights,
)
from larq_irnet.diagnostics.dead_weights import check_tau, check_threshold
from larq_irnet.quantizers import ScheduledQuantizer

__all__ = ["BinarizationMonitor"]


def _tau_in_force(kernels: Sequence[BinaryKernel], otherwise: float) -> float:
    """The quantile of the quantizers, where they have one and agree."""
    quantizers = (kernel.quantizer for kernel in kernels)
    schedules = (
        quantizer.schedule()
        for quantizer in quantizers
        if isinstance(quantizer, ScheduledQuantizer)
    )
    found = {float(schedule["tau"]) for schedule in schedules if "tau" in schedule}
    return found.pop() if len(found) == 1 else otherwise


class BinarizationMonitor(tf.keras.callbacks.Callback):
    r"""Puts figures on the binary weights into the logs of each epoch.

    - `dead_share`: share of the latent weights outside the quantiles
      \\(\pm Q(\tau)\\) of their layer, by `larq_irnet.diagnostics.dead_share`, at the
      end of the epoch.
    - `stuck_share`: share of the weights that the epoch has neither flipped nor moved,
      by `larq_irnet.diagnostics.stuck_share`.

    Both are over all weights of all binary kernels, so that a large layer counts more.
    A model without binary kernels gets no figures. Place it in front of callbacks that
    read the logs. It keeps no state from one call of `fit` to the next: a run that is
    resumed at the end of an epoch has the figures of one that was not interrupted.

    # Arguments
        tau: Quantile of `dead_share`, the same for all methods and epochs.
        threshold: Movement that `stuck_share` tolerates.
        on_histogram: Called with the `larq_irnet.diagnostics.EpochHistogram` of each
            epoch, such as `HistogramFile(path).append`; of several workers, by the
            chief only. The histogram has the \\(\tau\\) of ReCU's schedule in this
            epoch, and that of `dead_share` for other quantizers. `None` makes no
            histograms.

    # Raises
        ValueError: unless `tau` is within [0.5, 1) and `threshold` is positive and
            finite; at the beginning of the training, if a binary layer is not built.

    # Example
        >>> import larq_irnet as irnet
        >>> model = tf.keras.Sequential(
        ...     [irnet.layers.QuantDense(2, quantizer="irnet", input_shape=(4,))]
        ... )
        >>> model.compile("sgd", "mse")
        >>> history = model.fit(
        ...     tf.ones((8, 4)),
        ...     tf.ones((8, 2)),
        ...     callbacks=[BinarizationMonitor()],
        ...     verbose=0,
        ... )
        >>> sorted(history.history)
        ['dead_share', 'loss', 'stuck_share']

    # References
        - [ReCU: Reviving the Dead Weights in Binary Neural
            Networks](https://arxiv.org/abs/2103.12369)
    """

    def __init__(
        self,
        *,
        tau: float = DEAD_TAU,
        threshold: float = STUCK_THRESHOLD,
        on_histogram: Callable[[EpochHistogram], None] | None = None,
    ):
        super().__init__()
        check_tau(tau)
        check_threshold(threshold)
        self.tau = tau
        self.threshold = threshold
        self.on_histogram = on_histogram

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self._kernels = binary_kernels(self.model)
        self._before = self._snapshot()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if not self._kernels:
            return
        before, self._before = self._before, self._snapshot()
        if logs is not None:
            logs.update(self._figures(before, self._before))
        if self.on_histogram is not None and self._is_chief:
            tau = _tau_in_force(self._kernels, otherwise=self.tau)
            histogram = epoch_histogram(self._before, epoch=epoch, tau=tau)
            self.on_histogram(histogram)

    def _snapshot(self) -> list[KernelSnapshot]:
        return [kernel.snapshot() for kernel in self._kernels]

    def _figures(
        self, before: Sequence[KernelSnapshot], after: Sequence[KernelSnapshot]
    ) -> dict[str, float]:
        """What one epoch adds to the logs, each figure by its name."""
        stuck = stuck_weights(before, after, threshold=self.threshold)
        return {
            "dead_share": dead_weights(after, tau=self.tau).total,
            "stuck_share": stuck.total,
        }

    @property
    def _is_chief(self) -> bool:
        return self.model.distribute_strategy.extended.should_checkpoint
