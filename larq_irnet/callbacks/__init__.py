"""Keras callbacks that drive scheduled quantizers, and that watch weights and masks."""

from larq_irnet.callbacks.binarization_monitor import BinarizationMonitor
from larq_irnet.callbacks.estimator_scheduler import (
    EstimatorScheduler,
    scheduled_quantizers,
    set_progress,
)
from larq_irnet.callbacks.restriction_monitor import (
    RestrictionMonitor,
    RestrictionSnapshot,
)

__all__ = [
    "BinarizationMonitor",
    "EstimatorScheduler",
    "RestrictionMonitor",
    "RestrictionSnapshot",
    "scheduled_quantizers",
    "set_progress",
]
