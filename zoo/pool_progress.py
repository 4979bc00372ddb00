"""What a pool of runs shows while it trains: how far each one is, and the time left."""

import contextlib
import datetime
import statistics
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

import rich.console
import rich.progress

from zoo.train_config import TrainConfig
from zoo.workdir import Workdir, WorkdirError

__all__ = ["PoolProgress", "TrackedRun"]

_STYLES = ("bar", "lines", "none")
_LINE_EVERY = 60.0  # seconds, where there is no bar


class TrackedRun(Protocol):
    """What progress needs to know of a run; see `zoo.run_pool.PooledRun`."""

    @property
    def name(self) -> str:
        """What to call it."""

    @property
    def config(self) -> TrainConfig:
        """Its settings."""

    @property
    def folder(self) -> Path:
        """Where it writes."""

    @property
    def workdir(self) -> Workdir:
        """The same, to read."""


def _duration(seconds: float) -> str:
    return str(datetime.timedelta(seconds=round(seconds)))


def _kind(run: TrackedRun) -> tuple[str, ...]:
    """Runs of one kind take the same time, or nearly."""
    config = run.config
    settings = (
        *(config.method, config.network, config.dataset, config.precision),
        *(config.batch_size, config.steps, config.restriction, config.teacher),
    )
    return tuple(str(setting) for setting in settings)


class _Pace(NamedTuple):
    """Seconds until the first epoch begins, and of an epoch; measured over so many."""

    start_up: float
    epoch: float
    measured: int


def _mean(paces: Iterable[_Pace]) -> _Pace:
    """Long measurements count more: those of an epoch or two may be far off."""
    paces = list(paces)
    measured = sum(pace.measured for pace in paces)
    return _Pace(
        statistics.mean(pace.start_up for pace in paces),
        sum(pace.measured * pace.epoch for pace in paces) / measured,
        measured,
    )


class _Track:
    """How far one run is.

    # Attributes
        done: Epochs that are finished.
        start: When this session has begun; `None` before it.
    """

    def __init__(self, run: TrackedRun):
        self.run = run
        self.has_ended = run.workdir.is_complete
        self.done = self._before = self._finished()
        self.start: float | None = None
        self._seen: list[tuple[int, float]] = []  # epochs and when, of this session

    def _finished(self) -> int:
        if self.has_ended:
            return self.run.config.epochs
        try:
            return len(self.run.workdir.history())
        except WorkdirError:  # the run itself says what is damaged
            return 0

    def look(self, now: float) -> None:
        """Counts the finished epochs again."""
        if self.start is None or self.has_ended:
            return
        done = self._finished()
        if done > self.done:
            self.done = done
            self._seen = [*self._seen[:1], (done, now - self.start)]

    @property
    def left(self) -> int:
        """Epochs that are still to come."""
        return 0 if self.has_ended else self.run.config.epochs - self.done

    @property
    def pace(self) -> _Pace | None:
        """What this session has taken; `None` before its second epoch has ended."""
        if not self._seen or (len(self._seen) == 1 and self.left):
            return None
        (first, until_first), (last, until_last) = self._seen[0], self._seen[-1]
        if last == first:  # all at once
            epochs = last - self._before
            return _Pace(0.0, until_last / epochs, epochs)
        epoch = (until_last - until_first) / (last - first)
        start_up = until_first - epoch * (first - self._before)
        return _Pace(max(0.0, start_up), epoch, last - first)


class PoolProgress:
    """Shows the runs of a pool and the time that is left for all of them.

    # Arguments
        style: "bar", a bar for all runs and one for each that goes on; "lines", a line
            for each run that ends, and one now and then; or "none". Where the console
            is no terminal, "bar" is "lines".
        console: Where to write; standard output if `None`.
        clock: Tells the time in seconds.

    # Raises
        ValueError: for another style.
    """

    def __init__(
        self,
        style: str = "bar",
        *,
        console: rich.console.Console | None = None,
        clock: Callable[[], float] = time.perf_counter,
    ):
        if style not in _STYLES:
            raise ValueError(
                f"Expected `style` to be one of {list(_STYLES)}, got {style!r}."
            )
        self._console = console or rich.console.Console(highlight=False)
        self._is_shown = style != "none"
        has_bar = style == "bar" and self._console.is_terminal
        self._bar = _bar(self._console) if has_bar else None
        self._clock = clock

    @contextlib.contextmanager
    def of(self, runs: Sequence[TrackedRun], *, parallel: int) -> Iterator[None]:
        """Shows these runs as long as the context lasts."""
        self._tracks = {run.folder: _Track(run) for run in runs}
        self._parallel = parallel
        self._tasks: dict[Path, rich.progress.TaskID] = {}
        self._last_line = self._clock()
        if all(track.has_ended for track in self._tracks.values()):
            yield
            return
        if self._bar is None:
            yield
            return
        self._total = self._bar.add_task("all", total=self._epochs, left="")
        with self._bar:
            self.update()
            yield

    @property
    def _epochs(self) -> int:
        return sum(track.run.config.epochs for track in self._tracks.values())

    def started(self, run: TrackedRun) -> None:
        """A run begins, or goes on."""
        track = self._tracks[run.folder]
        track.start = self._clock()
        if self._bar is not None:
            self._tasks[run.folder] = self._bar.add_task(
                run.name, total=run.config.epochs, completed=track.done, left=""
            )

    def finished(self, run: TrackedRun) -> None:
        """A run is complete."""
        track = self._tracks[run.folder]
        track.look(self._clock())
        accuracy = run.workdir.results()["validation"]["accuracy"]
        self._end(run, f"{accuracy:.2%} of the validation images")

    def failed(self, run: TrackedRun, reason: str) -> None:
        """A run has failed; the others go on."""
        self._end(run, f"failed. {reason}")

    def _end(self, run: TrackedRun, outcome: str) -> None:
        track, now = self._tracks[run.folder], self._clock()
        track.has_ended = True
        took = "" if track.start is None else f", {_duration(now - track.start)}"
        if self._bar is not None and run.folder in self._tasks:
            self._bar.remove_task(self._tasks.pop(run.folder))
        self._print(f"{run.name}: {outcome}{took}")

    def update(self) -> None:
        """Looks how far the runs are."""
        now = self._clock()
        for track in self._tracks.values():
            track.look(now)
        if self._bar is not None:
            for folder, task in self._tasks.items():
                self._bar.update(task, completed=self._tracks[folder].done)
            ended = sum(
                t.run.config.epochs for t in self._tracks.values() if not t.left
            )
            going = sum(t.done for t in self._tracks.values() if t.left)
            self._bar.update(self._total, completed=ended + going, left=self._summary())
        elif self._is_shown and now - self._last_line >= _LINE_EVERY:
            self._print("going on")

    def _print(self, text: str) -> None:
        if not self._is_shown:
            return
        if self._bar is None:
            text += f"; {self._summary()}"
        self._last_line = self._clock()
        self._console.print(text, soft_wrap=True, markup=False)

    def _summary(self) -> str:
        ended = sum(track.has_ended for track in self._tracks.values())
        left = self.seconds_left()
        time_left = (
            "time left not known yet" if left is None else f"{_duration(left)} left"
        )
        return f"{ended} of {len(self._tracks)} runs, {time_left}"

    def seconds_left(self) -> float | None:
        """Until the last run has ended; `None` before anything is known.

        Runs of one kind take the same time, and a kind that nothing is known of takes
        as long as an average one.
        """
        going = [track for track in self._tracks.values() if track.left]
        known: dict[tuple[str, ...], list[_Pace]] = {}
        for track in self._tracks.values():
            if track.pace is not None:
                known.setdefault(_kind(track.run), []).append(track.pace)
        if not going or not known:
            return None if going else 0.0
        of_kind = {kind: _mean(paces) for kind, paces in known.items()}
        average = _mean(of_kind.values())
        each = []
        for track in going:
            pace = of_kind.get(_kind(track.run), average)
            start_up = pace.start_up if track.start is None else 0.0
            each.append(start_up + track.left * pace.epoch)
        return max([sum(each) / self._parallel, *each])


def _bar(console: rich.console.Console) -> rich.progress.Progress:
    return rich.progress.Progress(
        "{task.description}",
        rich.progress.BarColumn(),
        "{task.completed}/{task.total} epochs",
        "{task.fields[left]}",
        console=console,
    )
