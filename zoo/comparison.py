"""Runs recipes over several seeds and gathers what came out."""

import dataclasses
import statistics
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import tensorflow as tf

from zoo import recipes, training

__all__ = ["Comparison", "compare"]


@dataclasses.dataclass(frozen=True)
class Comparison:
    """Accuracies of one recipe, in [0, 1], one for each seed.

    # Attributes
        recipe: Name of the recipe.
        validation: Top-1 on the validation split.
        test: Top-1 on the test split.
    """

    recipe: str
    validation: list[float]
    test: list[float]

    @property
    def test_mean(self) -> float:
        """Mean over the seeds."""
        return statistics.mean(self.test)

    @property
    def test_deviation(self) -> float | None:
        """Unbiased standard deviation over the seeds; `None` for a single one."""
        return statistics.stdev(self.test) if len(self.test) > 1 else None


def compare(
    names: Sequence[str],
    *,
    seeds: int,
    workdir: str,
    smoke: bool = False,
    settings: Mapping[str, Any] | None = None,
    data_dir: str | None = None,
) -> Iterator[Comparison]:
    """Trains each recipe with seeds 0, 1, ...; runs that are complete are kept.

    # Arguments
        names: Recipes.
        seeds: Number of seeds, at least 1.
        workdir: Folder that gets one folder for each recipe and seed.
        smoke: Shrink every run to seconds.
        settings: What is other than in the recipes, by the names that
            `TrainConfig.with_settings` takes; the same for all.
        data_dir: Where tensorflow-datasets keeps its data; `None` for its default.

    # Returns
        One comparison after the other, each when its runs are complete.

    # Raises
        ValueError: for an unknown recipe or setting, or fewer than one seed.
    """
    if seeds < 1:
        raise ValueError(f"Expected at least one seed, got {seeds}.")
    if not names:
        raise ValueError("Expected at least one recipe, got none.")
    chosen = [recipes.get(name) for name in names]
    for recipe in chosen:
        results = []
        for seed in range(seeds):
            config = recipe.config.with_settings({**(settings or {}), "seed": seed})
            folder = Path(workdir) / recipe.name / f"seed{seed}"
            results.append(
                training.run(
                    config.shrunk() if smoke else config,
                    str(folder),
                    data_dir=data_dir,
                    progress="none",
                )
            )
            tf.keras.backend.clear_session()
        yield Comparison(
            recipe=recipe.name,
            validation=[result["validation"]["accuracy"] for result in results],
            test=[result["test"]["accuracy"] for result in results],
        )
