"""Latency on this machine, all candidates measured in turns in one run."""

import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from tflite_export.interpreting import make_interpreter, random_inputs

__all__ = ["Candidate", "Latency", "measure_latency"]

_WARM_UP_RUNS = 5


@dataclass(frozen=True)
class Candidate:
    """A model and how to run it.

    # Attributes
        content: The bytes of a .tflite.
        options: As for `tflite_export.interpreting.make_interpreter`.
    """

    content: bytes
    options: Mapping[str, bool]


@dataclass(frozen=True)
class Latency:
    """How long one image takes.

    # Attributes
        name: Of the candidate.
        median_ms: Median over all runs, in milliseconds.
        fastest_ms: The fastest run, in milliseconds.
        runs: Number of runs.
        threads: Threads of the interpreter.
        model_bytes: Size of the model.
    """

    name: str
    median_ms: float
    fastest_ms: float
    runs: int
    threads: int
    model_bytes: int


def measure_latency(
    candidates: Mapping[str, Candidate],
    *,
    rounds: int = 10,
    runs_per_round: int = 10,
    threads: int = 1,
) -> list[Latency]:
    """Runs the candidates in turns, so that all see the same state of the machine.

    # Arguments
        candidates: Models by name.
        rounds: How often each candidate has its turn.
        runs_per_round: Runs in one turn.
        threads: Threads of each interpreter.

    # Raises
        ValueError: if there is nothing to run.
        RuntimeError: if the runtime rejects a model.
    """
    if not candidates:
        raise ValueError("Expected at least one model to measure, got none.")
    if rounds < 1 or runs_per_round < 1 or threads < 1:
        raise ValueError(
            "Expected at least one round, run and thread, got "
            f"{rounds}, {runs_per_round} and {threads}."
        )
    ready = {}
    for name, candidate in candidates.items():
        interpreter = make_interpreter(
            candidate.content, threads=threads, **candidate.options
        ).interpreter
        inputs = random_inputs(candidate.content)
        _time_runs(interpreter, inputs, _WARM_UP_RUNS)
        ready[name] = interpreter, inputs
    times: dict[str, list[float]] = {name: [] for name in candidates}
    for _ in range(rounds):
        for name, (interpreter, inputs) in ready.items():
            times[name] += _time_runs(interpreter, inputs, runs_per_round)
    return [
        Latency(
            name=name,
            median_ms=1e3 * statistics.median(seconds),
            fastest_ms=1e3 * min(seconds),
            runs=len(seconds),
            threads=threads,
            model_bytes=len(candidates[name].content),
        )
        for name, seconds in times.items()
    ]


def _time_runs(interpreter, inputs: Sequence[np.ndarray], runs: int) -> list[float]:
    seconds = []
    for _ in range(runs):
        start = time.perf_counter()
        interpreter.predict(inputs)
        seconds.append(time.perf_counter() - start)
    return seconds
