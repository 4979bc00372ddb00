"""The folder of one training run: what lies in it, and whether it is in order.

```
config.json              the settings (TrainConfig)
arithmetic.json          what the last bits depend on, as it was at the first step
initial.weights.h5       the weights before the first step
metrics.csv              one row per epoch
tensorboard/             the same for TensorBoard
weight_histograms.json   latent weights over the epochs, of binary networks
binarization.csv         figures of the binary layers, of runs with diagnostics
restriction_masks.npz    what was kept of some images, of runs with restriction
checkpoints/             the last finished epochs, removed when the run is complete
model.keras              the trained model
results.json             accuracies, times, versions; written last
imported.json            in place of training: the checkpoint that model.keras came from
```
"""

import contextlib
import csv
import hashlib
import json
import os
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

import larq_irnet  # noqa: F401  (registers the quantizers of saved models)
from larq_irnet.atomic_path import atomic_path
from larq_irnet.callbacks import RestrictionSnapshot
from larq_irnet.diagnostics import EpochHistogram, HistogramFile
from zoo.mask_file import MaskFile, Masks
from zoo.saved_model import read_model
from zoo.train_config import TrainConfig
from zoo.workdir_error import WorkdirError, writing

__all__ = ["Workdir", "WorkdirError"]

try:
    import fcntl
except ImportError:  # not Unix
    fcntl = None  # type: ignore[assignment]

_TEST = frozenset({"test"})  # not evaluated by runs that settings are chosen from
_METRICS = {"epoch", "accuracy", "loss", "val_accuracy", "val_loss"}
_WEIGHTS_IN_ARCHIVE = "model.weights.h5"


class Workdir:
    """Reads and writes the files of one run.

    # Arguments
        path: The folder; made by `create`.

    # Raises
        WorkdirError: if the name is empty.
    """

    def __init__(self, path: str | Path):
        if not str(path):
            raise WorkdirError("Expected the name of a workdir, got an empty one.")
        self.path = Path(path)
        self.metrics_path = self.path / "metrics.csv"
        self.tensorboard_path = self.path / "tensorboard"
        self.checkpoints_path = self.path / "checkpoints"
        self.histograms_path = self.path / "weight_histograms.json"
        self.diagnostics_path = self.path / "binarization.csv"
        self.masks_path = self.path / "restriction_masks.npz"
        self.initial_weights_path = self.path / "initial.weights.h5"
        self._config_path = self.path / "config.json"
        self._arithmetic_path = self.path / "arithmetic.json"
        self._model_path = self.path / "model.keras"
        self._results_path = self.path / "results.json"
        self._imported_path = self.path / "imported.json"

    def check(self, config: TrainConfig) -> None:
        """Makes sure that the folder holds no imported model or other run.

        # Raises
            WorkdirError: if it does.
        """
        if self.imported_from:
            raise WorkdirError(
                f"Expected a folder to train in, got {self.path}, which holds weights "
                f"imported from {self.imported_from}. Choose another workdir."
            )
        if not self._config_path.exists():
            return
        there = json.loads(self.config().to_json())
        wanted = json.loads(config.to_json())
        differing = [
            f"{name}={there[name]!r} there, {wanted[name]!r} now"
            for name in wanted
            if there[name] != wanted[name]
        ]
        if differing:
            raise WorkdirError(
                f"Expected {self.path} to hold a run with the same settings, got "
                f"{'; '.join(differing)}. Choose another workdir, or remove this one."
            )

    def create(self, config: TrainConfig) -> None:
        """Makes the folder for a run, or tidies up after a process that was killed.

        # Raises
            WorkdirError: if it holds a run with other settings, or cannot be written.
        """
        self.check(config)
        with self._making_the_folder():
            self.path.mkdir(parents=True, exist_ok=True)
            for path in self.path.glob(".partial-*"):
                path.unlink()
            if self._config_path.exists():
                return
            with atomic_path(self._config_path) as partial:
                partial.write_text(config.to_json())

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Keeps other processes of this machine from training in the folder.

        It is made if there is none. Where folders cannot be locked, nothing is kept
        from anybody.

        # Raises
            WorkdirError: if another process holds it, or it cannot be made.
        """
        with self._making_the_folder():
            self.path.mkdir(parents=True, exist_ok=True)
        if fcntl is None:
            yield
            return
        descriptor = os.open(self.path, os.O_RDONLY)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise WorkdirError(
                    f"Expected a workdir that nothing else trains in, got {self.path}. "
                    "Wait for the other process, or choose another workdir."
                ) from None
            except OSError:  # a file system without locks
                pass
            yield
        finally:
            os.close(descriptor)  # and the lock is gone

    @property
    def imported_from(self) -> str:
        """The checkpoint that the model was imported from; empty for a run.

        # Raises
            WorkdirError: if the note of it is damaged.
        """
        if not self._imported_path.exists():
            return ""
        try:
            return str(json.loads(self._read(self._imported_path))["checkpoint"])
        except (ValueError, TypeError, KeyError) as error:
            raise WorkdirError(
                f"Expected {self._imported_path} to name a checkpoint, got something "
                f"else ({error!r}). Import the checkpoint again."
            ) from error

    def write_imported_from(self, checkpoint: str) -> None:
        """Marks the folder as that of an imported model."""
        with self._replacing(self._imported_path) as partial:
            partial.write_text(json.dumps({"checkpoint": checkpoint}))

    @property
    def has_checkpoint(self) -> bool:
        """Whether an epoch of an interrupted run has ended, from where it goes on."""
        return any(self.checkpoints_path.glob("ckpt-*.index"))

    @property
    def is_complete(self) -> bool:
        """Whether the run has ended and left its results."""
        return self._results_path.exists()

    def config(self) -> TrainConfig:
        """The settings of the run.

        # Raises
            WorkdirError: if they are missing or not readable.
        """
        text = self._read(self._config_path)
        try:
            return TrainConfig.from_json(text)
        except ValueError as error:
            raise WorkdirError(f"Cannot read {self._config_path}: {error}") from error

    def write_arithmetic(self, arithmetic: dict[str, Any]) -> None:
        """Notes with what the run begins; see `zoo.run_summary.arithmetic`."""
        with self._replacing(self._arithmetic_path) as partial:
            partial.write_text(json.dumps(arithmetic))

    def arithmetic(self) -> dict[str, Any]:
        """With what the run has begun; empty if it does not tell.

        # Raises
            WorkdirError: if the note of it is damaged.
        """
        if not self._arithmetic_path.exists():
            return self.last_arithmetic()
        try:
            return dict(**json.loads(self._read(self._arithmetic_path)))
        except (ValueError, TypeError) as error:
            raise WorkdirError(
                f"Expected {self._arithmetic_path} to tell threads and kernels, got "
                f"something else ({error!r}). Remove the file; the run stays."
            ) from error

    def last_arithmetic(self) -> dict[str, Any]:
        """With what a finished run has ended; empty if it does not tell.

        # Raises
            WorkdirError: if its results are damaged.
        """
        return dict(self.results().get("arithmetic", {})) if self.is_complete else {}

    def results(self) -> dict[str, Any]:
        """What the run has led to.

        # Raises
            WorkdirError: if the run is not complete or the file is damaged.
        """
        text = self._read(self._results_path)
        try:
            results = json.loads(text)
            for split in ("validation", *_TEST.intersection(results)):
                float(results[split]["accuracy"])
        except (ValueError, KeyError, TypeError) as error:
            raise WorkdirError(
                f"Expected the results of a run in {self._results_path}, got damaged "
                f"ones ({error!r}). Remove {self.path} and train again."
            ) from error
        return results

    def write_results(self, results: dict[str, Any]) -> None:
        """Writes the results: the mark of a complete run."""
        with self._replacing(self._results_path) as partial:
            partial.write_text(json.dumps(results, indent=2))

    def model(self) -> tf.keras.Model:
        """The trained model, compiled for evaluation only.

        # Raises
            WorkdirError: if the run is not complete or the file is damaged.
        """
        if not self._model_path.is_file():
            raise WorkdirError(
                f"Expected a finished run in {self.path}, found no "
                f"{self._model_path.name}. Train first: `python -m zoo.train "
                f"--recipe=... --workdir={self.path}`."
            )
        try:
            return read_model(self._model_path)
        except ValueError as error:
            raise WorkdirError(
                f"{error} Remove {self.path} and train again."
            ) from error

    def model_digest(self) -> str:
        """Tells the file of the trained model from others; empty if there is none."""
        if not self._model_path.is_file():
            return ""
        return hashlib.sha256(self._model_path.read_bytes()).hexdigest()

    def write_model(self, model: tf.keras.Model) -> None:
        """Saves the latent weights with the structure of the model."""
        with self._replacing(self._model_path) as partial:
            model.save(partial)

    def write_initial_weights(self, model: tf.keras.Model) -> None:
        """Saves the weights before the first step.

        By way of a whole model, whose weights are put together in memory: on a full
        disk HDF5 crashes the process.
        """
        with self._replacing(self.initial_weights_path) as partial:
            archive = partial.with_suffix(self._model_path.suffix)
            try:
                model.save(archive)
                with zipfile.ZipFile(archive) as parts:
                    partial.write_bytes(parts.read(_WEIGHTS_IN_ARCHIVE))
            finally:
                archive.unlink(missing_ok=True)

    def history(self) -> list[dict[str, float]]:
        """The metrics of each finished epoch, in order.

        A last row that was cut off, as by a crash, is left out.

        # Raises
            WorkdirError: if the file is damaged otherwise.
        """
        if not self.metrics_path.exists():
            return []
        lines = self._read(self.metrics_path).splitlines(keepends=True)
        whole = [line for line in lines if line.endswith("\n")]
        try:
            rows = [
                {name: float(value) for name, value in row.items()}
                for row in csv.DictReader(whole)
            ]
        except (ValueError, TypeError) as error:
            raise WorkdirError(f"Cannot read {self.metrics_path}: {error}.") from error
        missing = _METRICS - set(rows[0]) if rows else set()
        if missing:
            raise WorkdirError(
                f"Expected columns {sorted(_METRICS)} in {self.metrics_path}, "
                f"{sorted(missing)} are missing."
            )
        return rows

    def append_metrics(self, epoch: int, logs: dict[str, float]) -> None:
        """Adds the metrics of one epoch."""
        row = {"epoch": epoch, **{name: float(logs[name]) for name in sorted(logs)}}
        is_new = not self.metrics_path.exists() or not self.metrics_path.stat().st_size
        with (
            writing(self.metrics_path),
            self.metrics_path.open("a", newline="") as file,
        ):
            writer = csv.DictWriter(file, fieldnames=row)
            if is_new:
                writer.writeheader()
            writer.writerow(row)
            file.flush()
            os.fsync(file.fileno())  # before the checkpoint of this epoch counts

    def forget_epochs_from(self, epoch: int) -> None:
        """Drops the metrics of epochs that are to be run again."""
        rows = [row for row in self.history() if row["epoch"] < epoch]
        with (
            self._replacing(self.metrics_path) as partial,
            partial.open("w", newline="") as file,
        ):
            if rows:
                writer = csv.DictWriter(file, fieldnames=rows[0])
                writer.writeheader()
                writer.writerows({**row, "epoch": int(row["epoch"])} for row in rows)

    def append_histogram(self, histogram: EpochHistogram) -> None:
        """Adds the histogram of one epoch, in place of those that are run again."""
        with writing(self.histograms_path):
            HistogramFile(self.histograms_path).append(histogram)

    def histograms(self) -> list[EpochHistogram]:
        """The histograms of latent weights that the run has kept; maybe none.

        # Raises
            WorkdirError: if the file is damaged.
        """
        try:
            return HistogramFile(self.histograms_path).read()
        except (OSError, ValueError) as error:
            raise WorkdirError(
                f"Cannot read {self.histograms_path}: {error}"
            ) from error

    def append_masks(self, images: np.ndarray, snapshot: RestrictionSnapshot) -> None:
        """Adds the masks of one epoch, in place of those that are run again."""
        with writing(self.masks_path):
            MaskFile(self.masks_path).append(images, snapshot)

    def masks(self) -> Masks:
        """What information restriction kept of some images.

        # Raises
            WorkdirError: if the run has none, or the file is damaged.
        """
        try:
            masks = MaskFile(self.masks_path).read()
        except (OSError, ValueError) as error:
            raise WorkdirError(f"Cannot read {self.masks_path}: {error}") from error
        if masks is None:
            raise WorkdirError(
                f"Expected a run with information restriction in {self.path}, found no "
                f"{self.masks_path.name}. Train one: `python -m zoo.train "
                f"--recipe=ir2net_resnet20_digits --workdir={self.path}`."
            )
        return masks

    @contextlib.contextmanager
    def _making_the_folder(self) -> Iterator[None]:
        """Reports in one line what stands in the way."""
        try:
            yield
        except OSError as error:
            raise WorkdirError(
                f"Expected a workdir that can be written, got {self.path}: "
                f"{error.strerror}."
            ) from error

    @contextlib.contextmanager
    def _replacing(self, path: Path) -> Iterator[Path]:
        with writing(path), atomic_path(path) as partial:
            yield partial

    def _read(self, path: Path) -> str:
        try:
            return path.read_text()
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise WorkdirError(
                f"Expected a training run in {self.path}, cannot read {path.name}: "
                f"{reason}."
            ) from error
