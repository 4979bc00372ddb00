"""IR2Net's information restriction: training on what a network attends to."""

from larq_irnet.restriction.attention_erase import (
    NORMALIZATIONS,
    attention_erase,
    attention_map,
    attention_mask,
)
from larq_irnet.restriction.restricted_training import (
    STATISTICS,
    RestrictedTraining,
    check_restriction,
)

__all__ = [
    "NORMALIZATIONS",
    "RestrictedTraining",
    "STATISTICS",
    "attention_erase",
    "attention_map",
    "attention_mask",
    "check_restriction",
]
