"""What a training run shows while it goes on: figures of each epoch and time left."""

import datetime
import time
from collections.abc import Callable
from typing import Any

import rich.console
import rich.progress
import tensorflow as tf

__all__ = ["PROGRESS", "TrainingProgress"]

PROGRESS = ("bar", "epochs", "none")


def _figures(logs: dict[str, Any]) -> str:
    parts = [f"loss {logs['loss']:.4f}", f"accuracy {logs['accuracy']:.2%}"]
    if "val_accuracy" in logs:
        parts.append(f"validation {logs['val_accuracy']:.2%}")
    return ", ".join(parts)


def _duration(seconds: float) -> str:
    return str(datetime.timedelta(seconds=round(seconds)))


class TrainingProgress(tf.keras.callbacks.Callback):
    """Shows figures of each epoch and the time that is left until the end of the run.

    # Arguments
        style: "bar", a bar that moves with each step, "epochs", a line for each epoch,
            or "none". Where the console is no terminal, "bar" is "epochs".
        first_epoch: Epochs that earlier sessions have finished.
        epochs: Length of the run.
        steps: Steps in an epoch.
        console: Where to write; standard output if `None`.
        clock: Tells the time in seconds.

    # Raises
        ValueError: for another style.
    """

    def __init__(
        self,
        style: str,
        *,
        first_epoch: int,
        epochs: int,
        steps: int,
        console: rich.console.Console | None = None,
        clock: Callable[[], float] = time.perf_counter,
    ):
        super().__init__()
        if style not in PROGRESS:
            raise ValueError(
                f"Expected `progress` to be one of {list(PROGRESS)}, got {style!r}."
            )
        self._console = console or rich.console.Console(highlight=False)
        has_bar = style == "bar" and self._console.is_terminal
        self._bar = _bar(self._console, clock) if has_bar else None
        self._has_lines = style != "none" and not has_bar
        self._first_epoch = first_epoch
        self._epochs = epochs
        self._steps = steps
        self._clock = clock

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self._start = self._clock()
        if self._bar:
            self._task = self._bar.add_task(
                "",
                total=self._epochs * self._steps,
                completed=self._first_epoch * self._steps,
                figures="",
            )
            self._bar.start()

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self._epoch_start = self._clock()
        if self._bar:
            name = f"epoch {epoch + 1}/{self._epochs}"
            self._bar.update(self._task, description=name)

    def on_train_batch_end(
        self, batch: int, logs: dict[str, Any] | None = None
    ) -> None:
        if self._bar:
            self._bar.advance(self._task)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if self._bar:
            self._bar.update(self._task, figures=_figures(logs or {}))
        elif self._has_lines:
            self._console.print(self._line(epoch, logs or {}), soft_wrap=True)

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        self.close()

    def close(self) -> None:
        """Gives the terminal back, also after an exception within `fit`."""
        if self._bar:
            self._bar.stop()

    def _line(self, epoch: int, logs: dict[str, Any]) -> str:
        now = self._clock()
        done = epoch + 1 - self._first_epoch
        left = (now - self._start) / done * (self._epochs - epoch - 1)
        return (
            f"epoch {epoch + 1}/{self._epochs}: {_figures(logs)}, "
            f"{now - self._epoch_start:.1f} s, {_duration(left)} left"
        )


def _bar(
    console: rich.console.Console, clock: Callable[[], float]
) -> rich.progress.Progress:
    return rich.progress.Progress(
        "{task.description}",
        rich.progress.BarColumn(),
        "{task.percentage:>5.1f} %",
        "{task.fields[figures]}",
        rich.progress.TimeRemainingColumn(),
        "left",
        console=console,
        get_time=clock,
    )
