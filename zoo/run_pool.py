"""Trains many runs, several at once, each in a process of its own.

A process for each run keeps what a run does apart from all others: a run that fails or
is killed loses nothing but itself, memory is given back, and the result is the same bit
for bit however many are trained at once. It does depend on the threads of a run, and on
whether oneDNN's kernels are on: gradients are added up in another order.
"""

import contextlib
import dataclasses
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, cast

from zoo.evaluation import dataset_of
from zoo.pool_progress import PoolProgress
from zoo.pool_size import default_parallel
from zoo.run_summary import arithmetic
from zoo.run_worker import RunRequest
from zoo.train_config import TrainConfig
from zoo.workdir import Workdir
from zoo.workdir_error import writing

__all__ = ["PooledRun", "train_all"]

_WORKER = "zoo.run_worker"
_LOOK_EVERY = 0.2  # seconds
_REMEDIES = {
    "threads": "ask for {} threads",
    "onednn": "set TF_ENABLE_ONEDNN_OPTS={:d}",
    "cores": "train on a machine with {} cores",
}
_TIME_TO_END = 5.0  # seconds, for a process that is asked to


@dataclasses.dataclass(frozen=True, kw_only=True)
class PooledRun:
    """One run of a pool.

    # Attributes
        name: What progress and errors call it, such as "irnet_resnet20_digits, seed 0".
        config: What to train and how.
        folder: The folder of the run; see `zoo.workdir`.
        needs: Folders of runs that have to be complete before, such as that of a
            teacher: finished ones, or of runs that come earlier in the pool.
    """

    name: str
    config: TrainConfig
    folder: Path
    needs: tuple[Path, ...] = ()

    @property
    def workdir(self) -> Workdir:
        """The folder, to read and write."""
        return Workdir(self.folder)


@dataclasses.dataclass(frozen=True)
class _Worker:
    """A process that trains a run."""

    run: PooledRun
    process: subprocess.Popen[str]
    log: Path

    @property
    def input(self) -> IO[str]:
        """Open as long as the pool lives."""
        return cast(IO[str], self.process.stdin)

    def close(self) -> None:
        """Gives the pipe back, once the process has ended."""
        with contextlib.suppress(BrokenPipeError):
            self.input.close()

    @property
    def failure(self) -> str:
        """In one line why the process has ended."""
        lines = [line for line in self.log.read_text().splitlines() if line.strip()]
        errors = [line for line in lines if line.startswith("error: ")]
        if errors:  # TensorFlow may have said something behind it
            return errors[-1].removeprefix("error: ")
        last = lines[-1] if lines else ""
        code = self.process.returncode
        ended = (
            f"was ended by signal {-code}" if code < 0 else f"ended with code {code}"
        )
        return f"The process {ended}{f' ({last})' if last else ''}; see {self.log}."


class _Workers:
    """The processes at work; all of them are ended when the context is left."""

    def __init__(self, *, data_dir: str | None, threads: int, module: str):
        self._data_dir, self._threads, self._module = data_dir, threads, module
        self.active: list[_Worker] = []

    def start(self, run: PooledRun) -> None:
        """Begins to train, or goes on from the last epoch."""
        log = run.folder.with_name(f"{run.folder.name}.log")
        with writing(run.folder):
            run.folder.parent.mkdir(parents=True, exist_ok=True)
            log.write_text("")
        with log.open("a") as file:
            worker = _Worker(run, self._process(file), log)
        self.active.append(worker)
        request = RunRequest(
            config=run.config.to_json(),
            folder=str(run.folder),
            data_dir=self._data_dir,
            threads=self._threads,
        )
        with contextlib.suppress(BrokenPipeError):  # it has ended; `failure` tells why
            worker.input.write(request.to_line())
            worker.input.flush()

    def _process(self, log: IO[str]) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, "-m", self._module],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            text=True,
            start_new_session=True,  # Ctrl-C is for this process, which ends the others
        )

    def ended(self) -> Iterator[_Worker]:
        """Those that have come to an end since the last time."""
        for worker in [one for one in self.active if one.process.poll() is not None]:
            self.active.remove(worker)
            worker.close()
            yield worker

    def __enter__(self) -> "_Workers":
        return self

    def __exit__(self, *exception: object) -> None:
        for worker in self.active:
            worker.process.terminate()
        for worker in self.active:
            try:
                worker.process.wait(_TIME_TO_END)
            except subprocess.TimeoutExpired:
                worker.process.kill()
                worker.process.wait()
            worker.close()


def _check(
    runs: Sequence[PooledRun], *, parallel: int, threads: int, data_dir: str | None
) -> None:
    """Raises before anything is trained."""
    if parallel < 1 or threads < 0:
        raise ValueError(
            "Expected to train at least one run at once, with 0 or more threads, got "
            f"{parallel} and {threads}."
        )
    folders = [run.folder for run in runs]
    if len(set(folders)) < len(folders):
        raise ValueError(f"Expected a folder for each run, got {folders}.")
    for position, run in enumerate(runs):
        for needed in run.needs:
            if needed not in folders[:position] and not _is_complete(needed):
                raise ValueError(
                    f"Expected a finished run in {needed}, or one that comes before "
                    f"{run.name}, which needs it; got neither."
                )
        run.workdir.check(run.config)
        _check_arithmetic(run, threads)
        if not run.workdir.is_complete:
            dataset_of(run.config, data_dir).check_prepared()


def _check_arithmetic(run: PooledRun, threads: int) -> None:
    """Makes sure that what there is of a run was trained as the others are."""
    if not (run.workdir.is_complete or run.workdir.has_checkpoint):
        return
    wanted = {**arithmetic(), "threads": threads}
    # as it began, and as it ended, which is other if it was resumed by itself
    for there in (run.workdir.arithmetic(), run.workdir.last_arithmetic()):
        _check_alike(there, wanted, run.folder)


def _check_alike(
    there: Mapping[str, Any], wanted: Mapping[str, Any], folder: Path
) -> None:
    differing = {
        name: there[name]
        for name in _REMEDIES
        # None: TensorFlow does not tell
        if None not in (there.get(name), wanted[name]) and there[name] != wanted[name]
    }
    if wanted["threads"] or "threads" in differing:  # cores do not matter
        differing.pop("cores", None)
    if differing:
        now = ", ".join(f"{name}={wanted[name]}" for name in differing)
        then = ", ".join(f"{name}={value}" for name, value in differing.items())
        remedies = [_REMEDIES[name].format(value) for name, value in differing.items()]
        raise ValueError(
            f"Expected runs that were trained with {now}, got {then} in {folder}: "
            "accuracies depend on it. Choose another workdir, or "
            f"{', '.join(remedies)}."
        )


def train_all(
    runs: Sequence[PooledRun],
    *,
    parallel: int | None = None,
    threads: int = 1,
    data_dir: str | None = None,
    progress: PoolProgress | None = None,
    worker: str = _WORKER,
) -> dict[str, str]:
    """Trains what is not complete, in the order that is given.

    Interrupted, the same call goes on where the runs were.

    # Arguments
        runs: What to train.
        parallel: How many at once; `None` for `zoo.pool_size.default_parallel`.
        threads: Threads that an operation of a run is spread over, 0 for all cores. Of
            small networks, as many runs at once as there are cores, with one thread
            each, make the most of a processor.
        data_dir: Where tensorflow-datasets keeps its data; `None` for its default.
        progress: Where to show what goes on; `None` for nowhere.
        worker: The module to start, which `zoo.run_worker` does the work of.

    # Returns
        Why runs have failed, by their names; empty if all are complete. Runs that need
        one that failed are not trained.

    # Raises
        ValueError: for a number out of its range, two runs in one folder, a folder that
            holds another run or one with other threads or kernels, or a dataset that is
            not prepared.
        WorkdirError: if a folder cannot be written.
    """
    if parallel is None:
        parallel = default_parallel(threads)
    _check(runs, parallel=parallel, threads=threads, data_dir=data_dir)
    shown = progress or PoolProgress("none")
    waiting = [run for run in runs if not run.workdir.is_complete]
    failures: dict[Path, str] = {}
    workers = _Workers(data_dir=data_dir, threads=threads, module=worker)
    with shown.of(runs, parallel=parallel), workers:
        while waiting or workers.active:
            for run in _without_what_they_need(waiting, failures):
                waiting.remove(run)
                shown.failed(run, failures[run.folder])
            for run in _ready(waiting)[: parallel - len(workers.active)]:
                waiting.remove(run)
                workers.start(run)
                shown.started(run)
            time.sleep(_LOOK_EVERY)
            for ended in workers.ended():
                if ended.process.returncode == 0 and ended.run.workdir.is_complete:
                    ended.log.unlink()
                    shown.finished(ended.run)
                else:
                    failures[ended.run.folder] = ended.failure
                    shown.failed(ended.run, ended.failure)
            shown.update()
    return {run.name: failures[run.folder] for run in runs if run.folder in failures}


def _ready(waiting: Sequence[PooledRun]) -> list[PooledRun]:
    return [run for run in waiting if all(_is_complete(path) for path in run.needs)]


def _is_complete(folder: Path) -> bool:
    return Workdir(folder).is_complete


def _without_what_they_need(
    waiting: Sequence[PooledRun], failures: dict[Path, str]
) -> list[PooledRun]:
    """Runs that cannot be trained any more; also notes why."""
    lost = []
    for run in waiting:
        missing = [path for path in run.needs if path in failures]
        if missing:
            failures[run.folder] = f"It needs {missing[0]}, which has failed."
            lost.append(run)
    return lost
