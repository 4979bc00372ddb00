"""What was measured on a device, as one value and as JSON."""

import dataclasses
from collections.abc import Mapping

from tflite_export.device.device_facts import DeviceFacts
from tflite_export.device.output_check import OutputCheck
from tflite_export.device.sustained_run import SustainedRun
from tflite_export.operator_latency import OperatorLatency
from tflite_export.report_json import report_json

__all__ = [
    "COMPUTED",
    "DeviceLatency",
    "DeviceReport",
    "ModelFacts",
    "ModelMemory",
    "ToolFacts",
]

COMPUTED = ("schema", "is_complete", "is_right")
"""Properties of a report that its JSON has besides its fields."""

_SCHEMA = 1


@dataclasses.dataclass(frozen=True)
class ToolFacts:
    """The benchmark tool.

    # Attributes
        file: Its name.
        release: Of larq/compute-engine that it should be from.
        sha256: Its checksum.
        is_checked: Whether the checksum was pinned or given.
    """

    file: str
    release: str
    sha256: str
    is_checked: bool


@dataclasses.dataclass(frozen=True)
class ModelFacts:
    """A model.

    # Attributes
        name: "float twin", "binary", "int8".
        file: The .tflite.
        model_bytes: Its size.
    """

    name: str
    file: str
    model_bytes: int


@dataclasses.dataclass(frozen=True)
class DeviceLatency:
    """How long one image takes.

    # Attributes
        model: Name of the model.
        threads: Threads of the interpreter.
        xnnpack: Whether XNNPACK took over what it could.
        milliseconds: Median of the means of all turns.
        fastest_ms: The fastest run.
        slowest_mean_ms: The largest mean of a turn.
        init_ms: Median of the times from the start to the first run.
        runs: In all turns together.
    """

    model: str
    threads: int
    xnnpack: bool
    milliseconds: float
    fastest_ms: float
    slowest_mean_ms: float
    init_ms: float
    runs: int


@dataclasses.dataclass(frozen=True)
class ModelMemory:
    """What a model takes in memory, in MB of 2^20 bytes, with one thread.

    # Attributes
        model: Name of the model.
        init_mb: Before the first run.
        overall_mb: At the end.
        peak_mb: The most that the benchmark tool took with it, itself included.
    """

    model: str
    init_mb: float | None
    overall_mb: float | None
    peak_mb: float | None


@dataclasses.dataclass(frozen=True)
class DeviceReport:
    """Everything that was measured.

    # Attributes
        title: What the models are of.
        measured_at: Date and time in UTC.
        device: Before the measurement.
        device_after: After it; null if it was lost.
        tool: The benchmark tool.
        models: What was measured.
        latencies: By model, threads and XNNPACK.
        operators: By model, one thread, without XNNPACK.
        memory: By model.
        sustained: A run without a pause, if there was one.
        checks: Outputs of the device beside those of this machine.
        samples: What those were computed from: "test images" or "random images".
        failures: What went wrong, in sentences; nothing for a complete report.
        missing: Runs that were therefore not made.
        doubts: What to know before the numbers are believed.
        versions: Of the packages involved.
    """

    title: str
    measured_at: str
    device: DeviceFacts
    device_after: DeviceFacts | None
    tool: ToolFacts
    models: tuple[ModelFacts, ...]
    latencies: tuple[DeviceLatency, ...]
    operators: Mapping[str, tuple[OperatorLatency, ...]]
    memory: tuple[ModelMemory, ...]
    sustained: SustainedRun | None
    checks: tuple[OutputCheck, ...]
    samples: str
    failures: tuple[str, ...]
    missing: tuple[str, ...]
    doubts: tuple[str, ...]
    versions: Mapping[str, str]

    @property
    def schema(self) -> int:
        """The version of this format; a reader of one can read all reports of it."""
        return _SCHEMA

    @property
    def is_right(self) -> bool | None:
        """Whether the device computes what this machine does; null if not compared."""
        return all(check.is_right for check in self.checks) if self.checks else None

    @property
    def is_complete(self) -> bool:
        """Whether everything that was asked for was measured."""
        return not self.failures

    def fastest(self, model: str, threads: int | None = None) -> DeviceLatency | None:
        """The fastest setting of a model, with so many threads or any, if measured."""
        return min(
            (
                one
                for one in self.latencies
                if one.model == model and threads in (None, one.threads)
            ),
            key=lambda one: one.milliseconds,
            default=None,
        )

    def to_json(self) -> str:
        """The report as JSON; numbers that are not finite become null."""
        return report_json(self, computed=COMPUTED)
