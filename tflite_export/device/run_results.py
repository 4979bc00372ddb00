"""What the runs on a device have brought, read as soon as they have ended."""

import statistics
from collections import defaultdict

from tflite_export.device.benchmark_binary import RELEASE
from tflite_export.device.benchmark_output import (
    BenchmarkOutput,
    read_benchmark,
    read_operators,
)
from tflite_export.device.device_error import RunError
from tflite_export.device.device_report import DeviceLatency, ModelMemory
from tflite_export.device.runs import Run
from tflite_export.device.sustained_run import SustainedRun, read_sustained
from tflite_export.operator_latency import OperatorLatency

__all__ = ["RunResults"]


class RunResults:
    """All results so far, so that nothing of them is lost with the device.

    # Attributes
        profiles: Operators by model, in the order in which they run.
        memory: By model.
        sustained: The run without a pause.
    """

    def __init__(self) -> None:
        self._turns: dict[tuple[str, int, bool], list[BenchmarkOutput]]
        self._turns = defaultdict(list)
        self.profiles: dict[str, tuple[OperatorLatency, ...]] = {}
        self.memory: list[ModelMemory] = []
        self.sustained: SustainedRun | None = None

    def add(self, run: Run, text: str) -> str:
        """Reads what a run has printed.

        # Returns
            The figure to show while the measurement goes on; empty for none.

        # Raises
            RunError: if that are no words of the benchmark tool.
        """
        try:
            return self._add(run, text)
        except ValueError as error:
            raise RunError(
                f"Expected the results of the {run} in the words of the benchmark "
                f"tool, got {error}. Take the tool of release {RELEASE}."
            ) from error

    def _add(self, run: Run, text: str) -> str:
        if run.purpose == "profile":
            self.profiles[run.model] = tuple(read_operators(text))
        elif run.purpose == "sustained":
            self.sustained = read_sustained(text, run.model, run.threads)
        elif run.purpose == "memory":
            one = read_benchmark(text)
            self.memory.append(
                ModelMemory(run.model, one.init_mb, one.overall_mb, one.peak_mb)
            )
        elif run.purpose == "latency":
            one = read_benchmark(text)
            self._turns[run.model, run.threads, run.xnnpack].append(one)
            return f"{one.average_ms:.3f} ms"
        return ""

    @property
    def latencies(self) -> list[DeviceLatency]:
        """Times by model, threads and XNNPACK, over all turns."""
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
            for (model, threads, xnnpack), outputs in self._turns.items()
        ]
