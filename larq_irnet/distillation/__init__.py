"""Knowledge distillation: a network learns from the logits of another one."""

from larq_irnet.distillation.distiller import Distiller
from larq_irnet.distillation.logit_matching import LogitMatching, logit_matching

__all__ = ["Distiller", "LogitMatching", "logit_matching"]
