"""Knowledge distillation: a network learns from the logits and features of another."""

from larq_irnet.distillation.distiller import TARGETS, Distiller
from larq_irnet.distillation.logit_matching import LogitMatching, logit_matching
from larq_irnet.distillation.representation_alignment import (
    RepresentationAlignment,
    representation_distance,
)

__all__ = [
    "Distiller",
    "LogitMatching",
    "RepresentationAlignment",
    "TARGETS",
    "logit_matching",
    "representation_distance",
]
