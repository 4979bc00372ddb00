"""Figures that tell how a binary network trains: the same measure for every method."""

from larq_irnet.diagnostics.binary_inputs import (
    BinaryInputs,
    InputSnapshot,
    binary_input_layers,
)
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
from larq_irnet.diagnostics.flip_ratio import flip_ratio, flipped_weights
from larq_irnet.diagnostics.gradient_mismatch import (
    directional_cosine,
    gradient_cosine,
    gradient_cosine_of,
)
from larq_irnet.diagnostics.histogram_file import HistogramFile
from larq_irnet.diagnostics.information_entropy import (
    activation_balance,
    activation_entropy,
    binary_balance,
    binary_entropy,
    weight_entropy,
)
from larq_irnet.diagnostics.kernel_reader import KernelReader
from larq_irnet.diagnostics.model_share import (
    LayerShare,
    ModelShare,
    dead_weights,
    stuck_weights,
)
from larq_irnet.diagnostics.quantization_error import quantization_error
from larq_irnet.diagnostics.sign_map import sign_map
from larq_irnet.diagnostics.surrogate_gradient import surrogate_share
from larq_irnet.diagnostics.weight_histogram import EpochHistogram, epoch_histogram

__all__ = [
    "BinaryInputs",
    "BinaryKernel",
    "DEAD_TAU",
    "EpochHistogram",
    "HistogramFile",
    "InputSnapshot",
    "KernelReader",
    "KernelSnapshot",
    "LayerShare",
    "ModelShare",
    "STUCK_THRESHOLD",
    "activation_balance",
    "activation_entropy",
    "binary_balance",
    "binary_entropy",
    "binary_input_layers",
    "binary_kernels",
    "dead_share",
    "dead_weights",
    "directional_cosine",
    "epoch_histogram",
    "flip_ratio",
    "flipped_weights",
    "gradient_cosine",
    "gradient_cosine_of",
    "quantization_error",
    "sign_map",
    "snapshot",
    "standardized_weights",
    "stuck_share",
    "stuck_weights",
    "surrogate_share",
    "weight_entropy",
]
