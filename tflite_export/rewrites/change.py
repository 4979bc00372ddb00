"""What a rewrite did to one layer, for the model and for the report."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

__all__ = ["Change", "Rewrite"]


@dataclass(frozen=True)
class Rewrite:
    """One decision, in the order in which they were taken.

    # Attributes
        layer: Name of the layer that was rewritten.
        rewrite: What was done, such as "dense as convolution".
        reason: Why, and what became of it.
    """

    layer: str
    rewrite: str
    reason: str


@dataclass(frozen=True)
class Change:
    """A layer that was changed in a `larq_irnet.layer_graph.LayerGraph`.

    # Attributes
        layer: Its name.
        reason: Why, and what became of it.
        weights: Those of layers that have other weights than before, or none before, by
            the name of the layer.
    """

    layer: str
    reason: str
    weights: Mapping[str, Sequence[np.ndarray]] = field(default_factory=dict)
