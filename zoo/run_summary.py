"""What the results of a run tell besides the accuracies of its last epoch."""

import os

import larq as lq
import numpy as np
import tensorflow as tf

import larq_irnet as irnet

__all__ = ["arithmetic", "best_epoch", "versions"]


def arithmetic() -> dict[str, int | bool | None]:
    """What else decides in which order numbers are added up, and so the last bits.

    Small networks that start from the same seed part from there.

    # Returns
        "threads" of one operation, 0 for all "cores", and whether TensorFlow uses its
        "onednn" kernels, `None` where it does not tell.
    """
    return {
        "threads": tf.config.threading.get_intra_op_parallelism_threads(),
        "cores": os.cpu_count(),
        "onednn": _uses_onednn(),
    }


def _uses_onednn() -> bool | None:
    """By `TF_ENABLE_ONEDNN_OPTS`, and without it by the processor."""
    try:
        from tensorflow.python.util import _pywrap_util_port
    except ImportError:
        return None
    return bool(_pywrap_util_port.IsMklEnabled())


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
