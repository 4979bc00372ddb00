"""What the results of a run tell besides the accuracies of its last epoch."""

import larq as lq
import numpy as np
import tensorflow as tf

import larq_irnet as irnet

__all__ = ["best_epoch", "versions"]


def versions() -> dict[str, str]:
    """The packages that a run depends on."""
    return {
        "larq-irnet": irnet.__version__,
        "tensorflow": tf.__version__,
        "larq": lq.__version__,
        "numpy": np.__version__,
    }


def best_epoch(history: list[dict[str, float]]) -> dict[str, float]:
    """What papers report that choose their epoch by the images they report on.

    # Arguments
        history: One row for each epoch, as in `Workdir.history`.

    # Returns
        The first of the epochs with the best validation accuracy, counted from 0 as in
        `metrics.csv`, and its accuracy; empty for an empty history.

    # Example
        >>> accuracies = [0.25, 0.75, 0.5]
        >>> rows = [{"epoch": i, "val_accuracy": a} for i, a in enumerate(accuracies)]
        >>> best_epoch(rows)
        {'epoch': 1, 'val_accuracy': 0.75}
    """
    if not history:  # a worker that resumed after the last epoch
        return {}
    best = max(history, key=lambda row: row["val_accuracy"])
    return {"epoch": int(best["epoch"]), "val_accuracy": best["val_accuracy"]}
