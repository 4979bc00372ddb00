"""Any functional Keras model becomes a binary neural network: `larq_irnet.binarize`."""

from larq_irnet.binarization.binarize import binarize
from larq_irnet.binarization.flattened import flattened
from larq_irnet.binarization.report import BinarizationReport, LayerDecision

__all__ = ["BinarizationReport", "LayerDecision", "binarize", "flattened"]
