"""Trains the recipes of a comparison, measures them, and gathers what came out."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from zoo.comparison.curves import Curve, diagnostic_curves, validation_curve
from zoo.comparison.measured import Measured
from zoo.comparison.measuring import measured
from zoo.comparison.plan import planned_runs
from zoo.comparison.row import Accuracies, Row, rows_of
from zoo.pool_progress import PoolProgress
from zoo.run_pool import PooledRun, train_all
from zoo.train_config import TrainConfig

__all__ = ["Comparison", "compare"]


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """What came out of a comparison.

    # Attributes
        rows: The recipes that have a finished run.
        failures: Why runs have failed, by their names.
        measured: Sizes and times; `None` if all runs have failed.
        configs: Settings of the recipes with a finished run, by recipe; those of its
            first seed.
        arithmetic: What the last bits of the accuracies depend on, the same for all
            runs; see `zoo.run_summary.arithmetic`. Empty if they do not tell.
        validation: Validation accuracy over the epochs, by recipe.
        diagnostics: Figures of the binary layers over the epochs, by metric and recipe.
    """

    rows: Sequence[Row]
    failures: Mapping[str, str]
    measured: Measured | None
    configs: Mapping[str, TrainConfig] = field(default_factory=dict)
    arithmetic: Mapping[str, Any] = field(default_factory=dict)
    validation: Mapping[str, Curve] = field(default_factory=dict)
    diagnostics: Mapping[str, Mapping[str, Curve]] = field(default_factory=dict)


def _accuracies(runs: Sequence[PooledRun]) -> Accuracies:
    results = [run.workdir.results() for run in runs]
    return Accuracies(
        validation=[one["validation"]["accuracy"] for one in results],
        test=[one["test"]["accuracy"] for one in results],
    )


def _diagnostics(
    finished: Mapping[str, Sequence[PooledRun]],
) -> dict[str, dict[str, Curve]]:
    by_metric: dict[str, dict[str, Curve]] = {}
    for name, runs in finished.items():
        curves = diagnostic_curves(run.workdir for run in runs)
        for metric, curve in curves.items():
            by_metric.setdefault(metric, {})[name] = curve
    return by_metric


def _validation(finished: Mapping[str, Sequence[PooledRun]]) -> dict[str, Curve]:
    curves = {
        name: validation_curve(run.workdir for run in runs)
        for name, runs in finished.items()
    }
    return {name: curve for name, curve in curves.items() if curve is not None}


def _in_order_of_need(planned: Mapping[str, Sequence[PooledRun]]) -> list[PooledRun]:
    """First what others need, then seed by seed: each method is seen to work early."""
    seeds = [run for of_seed in zip(*planned.values()) for run in of_seed]
    needed = {folder for run in seeds for folder in run.needs}
    return sorted(seeds, key=lambda run: run.folder not in needed)


def compare(
    names: Sequence[str],
    *,
    seeds: int,
    workdir: str | Path,
    smoke: bool = False,
    settings: Mapping[str, Any] | None = None,
    diagnostics: bool = False,
    data_dir: str | None = None,
    parallel: int | None = None,
    threads: int = 1,
    measure_again: bool = False,
    progress: PoolProgress | None = None,
    report: Callable[[str], None] = lambda text: None,
    **pool_options: Any,
) -> Comparison:
    """Trains each recipe with seeds 0, 1, ..., and measures one run of each.

    What is complete is kept, what was interrupted goes on, and what was measured is
    not measured again. A run that fails does not stop the others.

    # Arguments
        names: Recipes.
        seeds: Number of seeds, at least 1.
        workdir: Folder that gets one folder for each recipe and seed.
        smoke: Shrink every run to seconds.
        settings: What is other than in the recipes, by the names that
            `TrainConfig.with_settings` takes; the same for all.
        diagnostics: Whether binary networks are looked at while they train.
        data_dir: Where tensorflow-datasets keeps its data; `None` for its default.
        parallel: How many runs are trained at once; `None` for what fits the machine.
            The results do not depend on it.
        threads: Threads of each run, 0 for all cores; the results do depend on it.
        measure_again: Whether to measure again what was measured before.
        progress: Where to show how far the runs are; `None` for nowhere.
        report: Called with what is measured.
        pool_options: Others of `zoo.run_pool.train_all`.

    # Raises
        ValueError: for an unknown recipe or setting, or a number out of its range.
        WorkdirError: if a folder holds other runs, or cannot be written.
    """
    planned = planned_runs(
        list(dict.fromkeys(names)),
        seeds=seeds,
        workdir=workdir,
        smoke=smoke,
        settings=settings,
        diagnostics=diagnostics,
    )
    failures = train_all(
        _in_order_of_need(planned),
        parallel=parallel,
        threads=threads,
        data_dir=data_dir,
        progress=progress,
        **pool_options,
    )
    finished = {
        name: [run for run in runs if run.name not in failures]
        for name, runs in planned.items()
    }
    finished = {name: runs for name, runs in finished.items() if runs}
    if not finished:
        return Comparison(rows=(), failures=failures, measured=None)
    found = measured(
        {name: runs[0] for name, runs in finished.items()},
        Path(workdir) / "measured.json",
        data_dir=data_dir,
        again=measure_again,
        brief=smoke,
        report=report,
    )
    configs = {name: runs[0].config for name, runs in finished.items()}
    accuracies = {name: _accuracies(runs) for name, runs in finished.items()}
    return Comparison(
        rows=rows_of(accuracies, configs, found),
        failures=failures,
        measured=found,
        configs=configs,
        arithmetic=next(iter(finished.values()))[0].workdir.arithmetic(),
        validation=_validation(finished),
        diagnostics=_diagnostics(finished),
    )
