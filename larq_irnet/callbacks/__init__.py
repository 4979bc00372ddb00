"""Keras callbacks that drive scheduled quantizers."""

from larq_irnet.callbacks.estimator_scheduler import (
    EstimatorScheduler,
    scheduled_quantizers,
    set_progress,
)

__all__ = ["EstimatorScheduler", "scheduled_quantizers", "set_progress"]
