"""Chooses settings of recipes on validation images, with the same budget for each.

Each recipe is trained with all settings of one grid and with the same seeds, in as many
epochs and steps. The winner has the best mean accuracy on the validation split; the
test split is not evaluated at all.
"""

import contextlib
import dataclasses
import itertools
import json
import statistics
import urllib.parse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from larq_irnet.atomic_path import atomic_path
from zoo import recipes
from zoo.run_pool import PooledRun
from zoo.train_config import TrainConfig
from zoo.workdir_error import WorkdirError, writing

__all__ = [
    "Candidate",
    "Tuning",
    "candidates_of",
    "grid_of",
    "tunings_in",
    "write_tunings",
]

Grid = Mapping[str, Sequence[Any]]


def grid_of(texts: Sequence[str]) -> dict[str, list[Any]]:
    """Reads the values to try of some settings.

    # Arguments
        texts: Such as "learning_rate=0.003,0.01"; values are read as JSON, and as text
            if they are none.

    # Raises
        ValueError: for a setting without values, or one that is given twice.

    # Example
        >>> grid_of(["learning_rate=0.003,0.01", "network_options.bn_gamma=ones"])
        {'learning_rate': [0.003, 0.01], 'network_options.bn_gamma': ['ones']}
    """
    grid: dict[str, list[Any]] = {}
    for text in texts:
        name, _, listed = text.partition("=")
        values = _values(listed)
        is_repeated = any(one in values[:place] for place, one in enumerate(values))
        if not (name and values) or "" in values or name in grid or is_repeated:
            raise ValueError(
                "Expected each setting once, with values that differ, like "
                f"'name=value,other', got {text!r}."
            )
        grid[name] = values
    return grid


def _values(text: str) -> list[Any]:
    """Those between commas; a comma within brackets of JSON separates none."""
    with contextlib.suppress(json.JSONDecodeError):
        return [*json.loads(f"[{text}]")]
    return [_value(part) for part in text.split(",")]


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text


@dataclasses.dataclass(frozen=True)
class Candidate:
    """One recipe with one choice of settings.

    # Attributes
        recipe: Its name.
        settings: What is chosen, by the names of `TrainConfig.with_settings`.
        runs: One for each seed, by seed.
    """

    recipe: str
    settings: Mapping[str, Any]
    runs: Mapping[int, PooledRun]

    @property
    def label(self) -> str:
        """The settings in one line."""
        pairs = (f"{name}={value}" for name, value in self.settings.items())
        return ", ".join(pairs) or "as in the recipe"

    @property
    def is_complete(self) -> bool:
        """Whether all of its runs are."""
        return all(run.workdir.is_complete for run in self.runs.values())

    def validation(self, figure: str = "accuracy") -> list[float]:
        """A figure of the validation split for each seed, at the end of the run.

        # Arguments
            figure: "accuracy", in [0, 1], or "loss".
        """
        workdirs = (run.workdir for run in self.runs.values())
        return [workdir.results()["validation"][figure] for workdir in workdirs]

    @property
    def deviation(self) -> float | None:
        """Unbiased, of the accuracies of the seeds; `None` for a single one."""
        accuracies = self.validation()
        return statistics.stdev(accuracies) if len(accuracies) > 1 else None


@dataclasses.dataclass(frozen=True)
class Tuning:
    """All that was tried of one recipe.

    # Attributes
        recipe: Its name.
        candidates: One for each point of the grid.
    """

    recipe: str
    candidates: tuple[Candidate, ...]

    @property
    def runs(self) -> list[PooledRun]:
        """Those of all candidates."""
        return [run for one in self.candidates for run in one.runs.values()]

    @property
    def best(self) -> Candidate | None:
        """The highest mean accuracy on the validation split, then the lowest loss.

        `None` where no candidate is complete.
        """
        complete = [one for one in self.candidates if one.is_complete]
        return max(complete, key=_rank, default=None)

    def summary(self) -> dict[str, Any]:
        """What was tried and what came out, to be written as JSON."""
        best = self.best
        return {
            "recipe": self.recipe,
            "best": None if best is None else dict(best.settings),
            "candidates": [
                {
                    "settings": dict(one.settings),
                    "validation_accuracy": (
                        one.validation() if one.is_complete else None
                    ),
                    "validation_loss": (
                        one.validation("loss") if one.is_complete else None
                    ),
                }
                for one in self.candidates
            ],
        }


def _rank(candidate: Candidate) -> tuple[float, float]:
    accuracy = statistics.mean(candidate.validation())
    return accuracy, -statistics.mean(candidate.validation("loss"))


def candidates_of(
    names: Sequence[str],
    grid: Grid,
    *,
    seeds: Sequence[int],
    workdir: str | Path,
    settings: Mapping[str, Any] | None = None,
    smoke: bool = False,
) -> list[Tuning]:
    """The runs that a tuning consists of; trains none.

    # Arguments
        names: Recipes.
        grid: Values to try, by the names of settings; empty for the recipes as they
            are.
        seeds: The same for every candidate; others than those that the chosen settings
            are compared with afterwards.
        workdir: Folder that gets a folder for each recipe, candidate and seed.
        settings: What is other than in the recipes, the same for all candidates.
        smoke: Shrink every run to seconds.

    # Raises
        ValueError: for an unknown recipe or setting, a seed that is given twice, or
            recipes whose budgets differ.
    """
    if (
        not names
        or not seeds
        or len({*seeds}) < len(seeds)
        or len({*names}) < len(names)
    ):
        raise ValueError(
            f"Expected recipes and seeds, each once, got {list(names)} and "
            f"{list(seeds)}."
        )
    _check_settings(grid, settings or {})
    tunings = []
    for name in names:
        config = recipes.get(name).config.with_settings(settings or {})
        candidates = (
            _candidate(name, config, dict(zip(grid, values)), seeds, workdir, smoke)
            for values in itertools.product(*grid.values())
        )
        tunings.append(Tuning(name, tuple(candidates)))
    _check_budgets(tunings)
    return tunings


def _check_settings(grid: Grid, settings: Mapping[str, Any]) -> None:
    """Makes sure that nothing is set that a tuning decides, or set twice."""
    decided = sorted({"seed", "evaluate_test"} & {*grid, *settings})
    if decided:
        raise ValueError(
            f"Expected settings other than {decided}: seeds are given apart, and the "
            "test split is not evaluated."
        )
    twice = sorted({*grid} & {*settings})
    if twice:
        raise ValueError(
            f"Expected {twice} either in the grid or with one value for all, got both."
        )


def _candidate(
    recipe: str,
    config: TrainConfig,
    settings: Mapping[str, Any],
    seeds: Sequence[int],
    workdir: str | Path,
    smoke: bool,
) -> Candidate:
    pairs = [f"{name}={value}" for name, value in settings.items()] or ["recipe"]
    folder = Path(workdir) / recipe / urllib.parse.quote(",".join(pairs), safe="=,. ")
    runs = {}
    for seed in seeds:
        chosen = {**settings, "seed": seed, "evaluate_test": False}
        one = config.with_settings(chosen)
        runs[seed] = PooledRun(
            name=f"{recipe}, {', '.join(pairs)}, seed {seed}",
            config=one.shrunk() if smoke else one,
            folder=folder / f"seed{seed}",
        )
    return Candidate(recipe, settings, runs)


def _check_budgets(tunings: Sequence[Tuning]) -> None:
    """Makes sure that no recipe gets more training than another."""
    budgets: dict[tuple[Any, ...], str] = {}
    for tuning in tunings:
        configs = [next(iter(one.runs.values())).config for one in tuning.candidates]
        budget = tuple((one.dataset, one.epochs, one.steps) for one in configs)
        budgets.setdefault(budget, tuning.recipe)
    if len(budgets) > 1:
        listed = {name: budget[0] for budget, name in budgets.items()}
        raise ValueError(
            "Expected recipes with one budget: the same data set, epochs, steps, got "
            f"{listed}. Tune them apart, or `--set` what differs."
        )


def write_tunings(path: Path, tunings: Sequence[Tuning], **about: Any) -> None:
    """Writes what was tried and chosen as JSON.

    What another tuning left there stays, under "earlier", unless it was of the same
    recipes with the same grid and settings.

    # Arguments
        path: The file, written whole or not at all.
        tunings: One for each recipe.
        about: What else to note, such as the seeds.

    # Raises
        WorkdirError: if it cannot be written, or holds something else.
    """
    content = {**about, "recipes": [one.summary() for one in tunings]}
    there = tunings_in(path)
    earlier = [one for one in there if _subject(one) != _subject(content)]
    if earlier:
        content["earlier"] = earlier
    with writing(path.parent), atomic_path(path) as partial:
        partial.write_text(json.dumps(content, indent=2) + "\n")


def tunings_in(path: Path) -> list[dict[str, Any]]:
    """What `write_tunings` wrote, the latest first; none if there is no file.

    # Raises
        WorkdirError: if it holds something else.
    """
    if not path.exists():
        return []
    try:
        latest = json.loads(path.read_text())
        there = [latest, *latest.pop("earlier", [])]
        for one in there:
            _subject(one)
        return there
    except (ValueError, TypeError, KeyError, AttributeError, OSError) as error:
        raise WorkdirError(
            f"Expected the outcome of a tuning in {path}, got something else "
            f"({error!r}). Remove the file; the runs stay."
        ) from error


def _subject(content: Mapping[str, Any]) -> tuple[Any, ...]:
    """What a tuning was of, whatever its seeds."""
    names = [one["recipe"] for one in content["recipes"]]
    return names, content.get("grid"), content.get("settings")
