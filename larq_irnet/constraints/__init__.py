"""Constraints that keep latent weights balanced and standardised."""

from larq_irnet.constraints.balanced_standardized import BalancedStandardized

__all__ = ["BalancedStandardized"]
