"""A recipe: a run whose settings and outcome are written down."""

from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from zoo.train_config import TrainConfig

__all__ = ["Recipe"]


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """The settings of a run and what to expect of it.

    # Attributes
        name: Name in the registry, and of its file.
        config: All settings.
        test_accuracy: Top-1 on the test split that this project measured, mean of
            three seeds, in [0, 1]; `None` where it was not run.
        published_accuracy: Top-1 that the authors report, in [0, 1]; `None` for runs
            that are not from a paper.
        reference: The paper, as a link; empty if there is none.
    """

    name: str
    config: TrainConfig
    test_accuracy: float | None = None
    published_accuracy: float | None = None
    reference: str = ""

    def build_model(self, **overrides: Any) -> tf.keras.Model:
        """Builds the recipe's network, untrained.

        # Arguments
            overrides: Arguments of the network's builder that replace the recipe's,
                such as `alignment="torch"`.
        """
        return self.config.build_model(**overrides)
