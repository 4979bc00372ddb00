"""What the runs of one recipe have written over the epochs, as mean and deviation."""

import csv
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from larq_irnet.callbacks import FigureFile
from zoo.workdir import Workdir
from zoo.workdir_error import WorkdirError

__all__ = ["Curve", "diagnostic_curves", "validation_curve"]


@dataclass(frozen=True)
class Curve:
    """A figure over the epochs of several runs.

    # Attributes
        epochs: Numbers of epochs, from 1 on, shape (n,).
        mean: Over the runs, shape (n,).
        deviation: Unbiased standard deviation over the runs, shape (n,); zero for a
            single run.
    """

    epochs: np.ndarray
    mean: np.ndarray
    deviation: np.ndarray

    def last(self) -> dict[str, float | None]:
        """The last "epoch", "mean" and "deviation"; `None` if not finite."""
        found = {
            "epoch": int(self.epochs[-1]),
            "mean": float(self.mean[-1]),
            "deviation": float(self.deviation[-1]),
        }
        return {name: x if math.isfinite(x) else None for name, x in found.items()}


def _curve(runs: Sequence[Mapping[int, float]]) -> Curve | None:
    """Of figures by epoch, in the epochs that all runs have; `None` without any."""
    shared = sorted(set.intersection(*(set(run) for run in runs))) if runs else []
    if not shared:
        return None
    values = np.array([[run[epoch] for epoch in shared] for run in runs])  # [runs, n]
    deviation = values.std(axis=0, ddof=1) if len(runs) > 1 else np.zeros(len(shared))
    return Curve(np.array(shared) + 1, values.mean(axis=0), deviation)


def validation_curve(runs: Iterable[Workdir]) -> Curve | None:
    """Validation accuracy in [0, 1] after each epoch; `None` without a single one.

    # Arguments
        runs: Finished runs of one recipe.

    # Raises
        WorkdirError: if their metrics are damaged.
    """
    return _curve(
        [
            {int(row["epoch"]): row["val_accuracy"] for row in run.history()}
            for run in runs
        ]
    )


def diagnostic_curves(runs: Iterable[Workdir]) -> dict[str, Curve]:
    """Figures of the binary layers of whole networks, by the name of the metric.

    # Arguments
        runs: Finished runs of one recipe; without diagnostics there are no curves.

    # Raises
        WorkdirError: if their figures are damaged.
    """
    figures = [_totals(run) for run in runs]
    metrics = sorted(set.intersection(*(set(one) for one in figures)))
    curves = {metric: _curve([one[metric] for one in figures]) for metric in metrics}
    return {metric: curve for metric, curve in curves.items() if curve is not None}


def _totals(run: Workdir) -> dict[str, dict[int, float]]:
    try:
        rows = FigureFile(run.diagnostics_path).read()
    except (ValueError, OSError, csv.Error) as error:
        raise WorkdirError(str(error)) from error
    totals: dict[str, dict[int, float]] = {}
    for epoch, metric, layer, value in rows:
        if not layer:
            totals.setdefault(metric, {})[epoch] = value
    return totals
