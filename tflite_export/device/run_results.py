"""What the runs on a device have printed, read."""

import statistics
from collections import defaultdict
from collections.abc import Iterator, Sequence

from tflite_export.device.benchmark_binary import RELEASE
from tflite_export.device.benchmark_output import (
    BenchmarkOutput,
    read_benchmark,
    read_operators,
)
from tflite_export.device.device_error import DeviceError
from tflite_export.device.device_report import DeviceLatency, ModelMemory
from tflite_export.device.runs import Run
from tflite_export.device.sustained_run import SustainedRun, read_sustained
from tflite_export.operator_latency import OperatorLatency

__all__ = [
    "read_latencies",
    "read_memory",
    "read_profiles",
    "read_run",
    "read_sustained_runs",
]

Printed = Sequence[tuple[Run, str]]
"""Each run with what it printed."""


def read_run(run: Run, text: str) -> BenchmarkOutput:
    """Times and memory of one run.

    # Raises
        DeviceError: if it printed something else.
    """
    try:
        return read_benchmark(text)
    except ValueError as error:
        raise _unreadable(run, error) from error


def _unreadable(run: Run, error: ValueError) -> DeviceError:
    return DeviceError(
        f"Expected the results of {run} in the words of the benchmark tool, got "
        f"{error}. Take the tool of release {RELEASE}."
    )


def _of(purpose: str, printed: Printed) -> Iterator[tuple[Run, str]]:
    return ((run, text) for run, text in printed if run.purpose == purpose)


def read_latencies(printed: Printed) -> list[DeviceLatency]:
    """Times by model, threads and XNNPACK, over all turns.

    # Raises
        DeviceError: if a run printed something else.
    """
    turns: dict[tuple[str, int, bool], list[BenchmarkOutput]] = defaultdict(list)
    for run, text in _of("latency", printed):
        turns[run.model, run.threads, run.xnnpack].append(read_run(run, text))
    return [
        DeviceLatency(
            model=model,
            threads=threads,
            xnnpack=xnnpack,
            milliseconds=statistics.median(one.average_ms for one in outputs),
            fastest_ms=min(one.fastest_ms for one in outputs),
            slowest_mean_ms=max(one.average_ms for one in outputs),
            init_ms=statistics.median(one.init_ms for one in outputs),
            runs=sum(one.runs for one in outputs),
        )
        for (model, threads, xnnpack), outputs in turns.items()
    ]


def read_profiles(printed: Printed) -> dict[str, tuple[OperatorLatency, ...]]:
    """Operators by model, in the order in which they run.

    # Raises
        DeviceError: if a run printed something else.
    """
    profiles = {}
    for run, text in _of("profile", printed):
        try:
            profiles[run.model] = tuple(read_operators(text))
        except ValueError as error:
            raise _unreadable(run, error) from error
    return profiles


def read_memory(printed: Printed) -> list[ModelMemory]:
    """Memory by model.

    # Raises
        DeviceError: if a run printed something else.
    """
    outputs = [(run.model, read_run(run, text)) for run, text in _of("memory", printed)]
    return [
        ModelMemory(model, one.init_mb, one.overall_mb, one.peak_mb)
        for model, one in outputs
    ]


def read_sustained_runs(printed: Printed) -> SustainedRun | None:
    """The run without a pause, if there was one.

    # Raises
        DeviceError: if it printed something else.
    """
    for run, text in _of("sustained", printed):
        try:
            return read_sustained(text, run.model, run.threads)
        except ValueError as error:
            raise _unreadable(run, error) from error
    return None
