"""Figures that tell how a binary network trains: the same measure for every method."""

from larq_irnet.diagnostics.binary_kernels import (
    BinaryKernel,
    KernelSnapshot,
    binary_kernels,
    snapshot,
)
from larq_irnet.diagnostics.dead_weights import (
    DEAD_TAU,
    STUCK_THRESHOLD,
    dead_share,
    standardized_weights,
    stuck_share,
)
from larq_irnet.diagnostics.histogram_file import HistogramFile
from larq_irnet.diagnostics.model_share import (
    LayerShare,
    ModelShare,
    dead_weights,
    stuck_weights,
)
from larq_irnet.diagnostics.weight_histogram import EpochHistogram, epoch_histogram

__all__ = [
    "BinaryKernel",
    "DEAD_TAU",
    "EpochHistogram",
    "HistogramFile",
    "KernelSnapshot",
    "LayerShare",
    "ModelShare",
    "STUCK_THRESHOLD",
    "binary_kernels",
    "dead_share",
    "dead_weights",
    "epoch_histogram",
    "snapshot",
    "standardized_weights",
    "stuck_share",
    "stuck_weights",
]
