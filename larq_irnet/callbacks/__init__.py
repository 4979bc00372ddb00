"""Keras callbacks that drive scheduled quantizers, and that watch weights and masks."""

from larq_irnet.callbacks.binarization_monitor import BinarizationMonitor
from larq_irnet.callbacks.estimator_scheduler import (
    EstimatorScheduler,
    scheduled_quantizers,
    set_progress,
)
from larq_irnet.callbacks.figure_file import FigureFile
from larq_irnet.callbacks.monitor_figures import (
    BATCH_METRICS,
    METRICS,
    WEIGHT_METRICS,
    Figure,
)
from larq_irnet.callbacks.restriction_monitor import (
    RestrictionMonitor,
    RestrictionSnapshot,
)

__all__ = [
    "BATCH_METRICS",
    "BinarizationMonitor",
    "EstimatorScheduler",
    "Figure",
    "FigureFile",
    "METRICS",
    "RestrictionMonitor",
    "RestrictionSnapshot",
    "WEIGHT_METRICS",
    "scheduled_quantizers",
    "set_progress",
]
