"""Which runs a comparison consists of."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from larq_irnet import methods
from zoo import recipes
from zoo.recipes import Recipe
from zoo.run_pool import PooledRun
from zoo.train_config import TrainConfig

__all__ = ["looks_of", "planned_runs", "runs_of"]

_LOOKED_AT = 64  # validation images
_LOOKS, _LONG_LOOKS = 6, 3  # after that into the first epoch


def looks_of(epochs: int) -> dict[str, int]:
    """What the setting `diagnostics` of a compared run is.

    Whatever is slow is measured in the first epoch and some more, up to the last ones.

    # Arguments
        epochs: Of the run.

    # Example
        >>> looks_of(40)
        {'images': 64, 'batch_epochs': 7, 'cosine_epochs': 13}
        >>> looks_of(1)
        {'images': 64, 'batch_epochs': 1, 'cosine_epochs': 1}
    """
    return {
        "images": _LOOKED_AT,
        "batch_epochs": max(1, math.ceil((epochs - 1) / _LOOKS)),
        "cosine_epochs": max(1, math.ceil((epochs - 1) / _LONG_LOOKS)),
    }


def _configured(
    recipe: Recipe, *, smoke: bool, settings: Mapping[str, Any], diagnostics: bool
) -> TrainConfig:
    """The settings of a recipe's runs but for the seed."""
    looks = {k: v for k, v in settings.items() if _is_of_diagnostics(k)}
    others = {k: v for k, v in settings.items() if k not in looks}
    config = recipe.config.with_settings(others)
    if methods.get(config.method).kernel_quantizer is not None:  # else nothing to see
        if diagnostics:
            config = config.with_settings({"diagnostics": looks_of(config.epochs)})
        config = config.with_settings(looks)
    if not config.evaluate_test:
        raise ValueError(
            "Expected runs that evaluate the test split, which a comparison shows, got "
            "`evaluate_test` off. `python -m zoo.tune` compares on validation alone."
        )
    return config.shrunk() if smoke else config


def _is_of_diagnostics(setting: str) -> bool:
    return setting.partition(".")[0] == "diagnostics"


def _folder(workdir: Path, recipe: str, seed: int) -> Path:
    return workdir / recipe / f"seed{seed}"


def _teacher_among(
    config: TrainConfig, configs: Mapping[str, TrainConfig]
) -> str | None:
    """The recipe that trains the teacher of a run, if it is among some."""
    options = {key: value for key, value in config.teacher.items() if key != "network"}
    for name, one in configs.items():
        is_teacher = (one.dataset, one.network, dict(one.network_options)) == (
            config.dataset,
            config.teacher.get("network"),
            options,
        )
        if is_teacher and one.method == "float" and not one.teacher:
            return name
    return None


def runs_of(
    name: str,
    names: Sequence[str],
    *,
    seeds: int,
    workdir: str | Path,
    smoke: bool = False,
    settings: Mapping[str, Any] | None = None,
    diagnostics: bool = False,
) -> list[PooledRun]:
    """The runs of one recipe of a comparison, one for each seed.

    # Arguments
        name: The recipe.
        names: All recipes of the comparison. If one of them trains the teacher of
            another, all seeds learn from its run with seed 0.
        seeds: Number of seeds: 0, 1, ...
        workdir: Folder that gets one folder for each recipe and seed.
        smoke: Shrink every run to seconds.
        settings: What is other than in the recipes, by the names that
            `TrainConfig.with_settings` takes.
        diagnostics: Whether binary networks are looked at while they train.

    # Raises
        ValueError: for an unknown recipe or setting.
    """
    if "seed" in (settings or {}):
        raise ValueError(
            "Expected settings other than 'seed': the seeds of a comparison are 0, 1, "
            f"..., {seeds - 1}. Set their number."
        )
    workdir, settings = Path(workdir), settings or {}
    configs = {
        one: _configured(
            recipes.get(one), smoke=smoke, settings=settings, diagnostics=diagnostics
        )
        for one in dict.fromkeys([name, *names])
    }
    config = configs[name]
    needs: tuple[Path, ...] = ()
    teacher = _teacher_among(config, configs)
    if teacher is not None and not smoke:  # shrunk runs learn from initial weights
        needs = (_folder(workdir, teacher, 0),)
        config = config.with_settings({"teacher_weights": str(needs[0].resolve())})
    return [
        PooledRun(
            name=f"{name}, seed {seed}",
            config=config.with_settings({"seed": seed}),
            folder=_folder(workdir, name, seed),
            needs=needs,
        )
        for seed in range(seeds)
    ]


def planned_runs(
    names: Sequence[str], *, seeds: int, **options: Any
) -> dict[str, list[PooledRun]]:
    """The runs of all recipes of a comparison, by recipe.

    # Arguments
        names: Recipes.
        seeds: Number of seeds, at least 1.
        options: As for `runs_of`.

    # Raises
        ValueError: for an unknown recipe or setting, no or fewer than one seed.
    """
    if seeds < 1:
        raise ValueError(f"Expected at least one seed, got {seeds}.")
    if not names:
        raise ValueError("Expected at least one recipe, got none.")
    return {name: runs_of(name, names, seeds=seeds, **options) for name in names}
