"""Keras callbacks that drive scheduled quantizers, and that watch binary weights."""

from larq_irnet.callbacks.binarization_monitor import BinarizationMonitor
from larq_irnet.callbacks.estimator_scheduler import (
    EstimatorScheduler,
    scheduled_quantizers,
    set_progress,
)

__all__ = [
    "BinarizationMonitor",
    "EstimatorScheduler",
    "scheduled_quantizers",
    "set_progress",
]
