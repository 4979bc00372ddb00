"""All binary kernels of a model, read in one graph and not operation by operation."""

from collections.abc import Sequence

import tensorflow as tf

from larq_irnet.diagnostics.binary_kernels import BinaryKernel, KernelSnapshot
from larq_irnet.quantizers import ScheduledQuantizer

__all__ = ["KernelReader"]


class KernelReader:
    """Reads the same kernels again and again, with what quantizers make of them.

    The results are those of `BinaryKernel.snapshot` and `BinaryKernel.surrogate_share`,
    whatever quantized scope surrounds the call, and no flips are counted. What is asked
    for is traced as a graph the first time, which takes seconds for a deep network, and
    milliseconds from then on.

    # Arguments
        kernels: From `larq_irnet.diagnostics.binary_kernels`.

    # Example
        >>> import larq_irnet as irnet
        >>> model = tf.keras.Sequential(
        ...     [irnet.layers.QuantDense(2, quantizer="irnet", input_shape=(4,))]
        ... )
        >>> reader = KernelReader(irnet.diagnostics.binary_kernels(model))
        >>> [(one.name, one.signs.shape) for one in reader.snapshots()]
        [('quant_dense', (4, 2))]
        >>> reader.surrogate_shares()
        [1.0]
        >>> [{name: round(x, 2) for name, x in one.items()}
        ...  for one in reader.schedules()]
        [{'t': 0.1, 'k': 10.0}]
    """

    def __init__(self, kernels: Sequence[BinaryKernel]):
        self.kernels = tuple(kernels)
        self._weights_graph = tf.function(self._weights)
        self._shares_graph = tf.function(self._shares)
        self._schedules_graph = tf.function(self._schedules)

    def snapshots(self) -> list[KernelSnapshot]:
        """Copies of the present weights, in the order of the kernels."""
        read = self._weights_graph()
        return [one.snapshot_of(*pair) for one, pair in zip(self.kernels, read)]

    def surrogate_shares(self, *, probes: int = 8, seed: int = 0) -> list[float]:
        """The share of each kernel's weights that get gradient at this moment.

        # Arguments
            probes: As for `larq_irnet.diagnostics.surrogate_share`.
            seed: The same.
        """
        return self._shares_graph(probes, tf.constant(seed)).numpy().tolist()

    def schedules(self) -> list[dict[str, float]]:
        """The present constants of each kernel's quantizer; empty if it has none."""
        return [
            {symbol: float(value) for symbol, value in one.items()}
            for one in self._schedules_graph()
        ]

    def _weights(self) -> list[tuple[tf.Tensor, tf.Tensor]]:
        return [kernel.weights() for kernel in self.kernels]

    def _shares(self, probes: int, seed: tf.Tensor) -> tf.Tensor:
        return tf.stack([one.share_of_gradient(probes, seed) for one in self.kernels])

    def _schedules(self) -> list[dict[str, tf.Tensor]]:
        quantizers = (kernel.quantizer for kernel in self.kernels)
        return [
            one.schedule() if isinstance(one, ScheduledQuantizer) else {}
            for one in quantizers
        ]
