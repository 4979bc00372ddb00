"""Diagnostics of the binary layers of a run, if its configuration asks for them."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from larq_irnet.callbacks import METRICS, BinarizationMonitor
from larq_irnet.diagnostics import KernelSnapshot
from zoo.datasets import Split
from zoo.setting_types import is_of_type
from zoo.workdir_error import writing

__all__ = ["DIAGNOSTICS", "DiagnosticsMonitor", "check_diagnostics"]

DIAGNOSTICS = ("batch_epochs", "cosine_epochs", "directions", "images", "metrics")


def check_diagnostics(settings: Mapping[str, Any]) -> None:
    """Makes sure that settings of diagnostics are known and in range.

    # Raises
        ValueError: if they are not.

    # Example
        >>> check_diagnostics({"images": 64, "metrics": ["flip_ratio"]})
    """
    unknown = sorted(set(settings) - set(DIAGNOSTICS))
    if unknown:
        raise ValueError(
            f"Expected `diagnostics` out of {list(DIAGNOSTICS)}, got {unknown}."
        )
    for name in sorted(set(settings) - {"metrics"}):
        number = settings[name]
        if not is_of_type(number, int) or number < 1:
            raise ValueError(
                f"Expected `diagnostics` with '{name}' of at least 1, got {number!r}."
            )
    metrics = settings.get("metrics", METRICS)
    is_sequence = isinstance(metrics, (list, tuple))
    if not is_sequence or not metrics or set(metrics) - set(METRICS):
        raise ValueError(
            f"Expected `diagnostics` with 'metrics' out of {list(METRICS)}, got "
            f"{metrics!r}."
        )


class DiagnosticsMonitor(BinarizationMonitor):
    """Writes all figures of binary layers into the folder of a run.

    They stay out of the metrics of the run, which have the same columns in all epochs.

    # Arguments
        batch: Images and labels to look at.
        log_dir: Where TensorBoard's files go.
        csv_path: The file of the figures by layer.
        settings: `batch_epochs`, `cosine_epochs`, `directions` and `metrics` of the
            `larq_irnet.callbacks.BinarizationMonitor`, where they are others.

    # Raises
        WorkdirError: from within `fit`, if something cannot be written.
    """

    def __init__(
        self,
        batch: Split,
        *,
        log_dir: Path,
        csv_path: Path,
        settings: Mapping[str, Any],
    ):
        super().__init__(
            inputs=batch.images,
            labels=np.asarray(batch.labels),
            loss=tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            log_dir=log_dir,
            csv_path=csv_path,
            **settings,
        )
        self._folder = csv_path.parent

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        with writing(self._folder):
            super().on_epoch_begin(epoch, logs)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        super().on_epoch_end(epoch, None)

    def write(
        self, epoch: int, figures: dict[str, Any], before: list[KernelSnapshot]
    ) -> None:
        with writing(self._folder):
            super().write(epoch, figures, before)

    def close(self) -> None:
        with writing(self._folder):
            super().close()
