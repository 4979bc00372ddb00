"""The whole way: find the device, check it, copy, run, read, and leave no trace."""

import datetime
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tflite_export.device.adb import AdbConnection
from tflite_export.device.benchmark_binary import RELEASE, BenchmarkBinary
from tflite_export.device.benchmark_failure import explain_failure
from tflite_export.device.connection import Connection
from tflite_export.device.device_check import check_device
from tflite_export.device.device_error import DeviceError
from tflite_export.device.device_facts import DeviceFacts, facts_script, read_facts
from tflite_export.device.device_report import DeviceReport, ModelFacts, ToolFacts
from tflite_export.device.job import Job
from tflite_export.device.measured_models import MeasuredModel
from tflite_export.device.output_check import OutputCheck, check_outputs
from tflite_export.device.remote_folder import new_folder, remote_folder
from tflite_export.device.run_results import (
    read_latencies,
    read_memory,
    read_profiles,
    read_run,
    read_sustained_runs,
)
from tflite_export.device.runs import Run
from tflite_export.device.ssh import SshConnection
from tflite_export.flatbuffer import Flatbuffer
from tflite_export.report import versions

__all__ = ["measure"]


def measure(
    job: Job,
    binary: BenchmarkBinary,
    samples: Sequence[np.ndarray],
    *,
    kind_of_samples: str = "random images",
    progress: Callable[[str], None] = lambda line: None,
) -> DeviceReport:
    """Measures models on a device.

    # Arguments
        job: What, where, how.
        binary: The benchmark tool.
        samples: What outputs are compared for: one array [N, ...] for each input, N of
            at least `job.settings.samples`.
        kind_of_samples: What they are, for the report.
        progress: Called with a line for each step.

    # Raises
        DeviceError: if anything is wrong with the device, or gets lost; nothing is
            left on it then, unless the error says so.
        ValueError: for models and samples that do not fit.
    """
    flatbuffers = {model: model.read() for model in job.models}
    connection = _connect(job)
    with tempfile.TemporaryDirectory() as local:
        files = job.write_files(flatbuffers, binary.path, samples, Path(local))
        device = _Device(connection, job, flatbuffers, Path(local), progress)
        before = device.facts()
        progress(f"device: {before.model}, {before.version}")
        size = sum(file.stat().st_size for file in files)
        doubts = check_device(before, binary, size)
        for doubt in doubts:
            progress(f"note: {doubt}")
        printed = device.run_all(files, before.cpus)
        after = device.facts()
        checks = device.checks(samples)
    return DeviceReport(
        title=job.title,
        measured_at=_now(),
        device=before,
        device_after=after,
        tool=ToolFacts(binary.path.name, RELEASE, binary.sha256, binary.is_checked),
        models=tuple(
            ModelFacts(model.name, model.path.name, len(flatbuffer.content))
            for model, flatbuffer in flatbuffers.items()
        ),
        latencies=tuple(read_latencies(printed)),
        operators=read_profiles(printed),
        memory=tuple(read_memory(printed)),
        sustained=read_sustained_runs(printed),
        checks=tuple(checks),
        samples=kind_of_samples,
        doubts=(*doubts, *_doubts_after(before, after)),
        versions=versions(),
    )


def _connect(job: Job) -> Connection:
    if job.target.kind == "android":
        return AdbConnection.find(job.serial, timeout=job.settings.timeout)
    return SshConnection(job.target)


@dataclass(frozen=True)
class _Device:
    """A device that is being measured.

    # Attributes
        connection: The way to it.
        job: What is measured.
        flatbuffers: The models.
        local: Where its outputs go on this machine.
        progress: Called with a line for each step.
    """

    connection: Connection
    job: Job
    flatbuffers: Mapping[MeasuredModel, Flatbuffer]
    local: Path
    progress: Callable[[str], None]

    @property
    def parent(self) -> str:
        return self.job.parent or self.connection.temporary_folder

    def facts(self) -> DeviceFacts:
        script, timeout = facts_script(self.parent), self.job.settings.timeout
        output = self.connection.run(script, timeout=timeout)
        return read_facts(output.text, self.job.target.kind)

    def run_all(self, files: Sequence[Path], cpus: int) -> list[tuple[Run, str]]:
        """Copies, runs, fetches the outputs; gives each run with what it printed."""
        folder, timeout = new_folder(self.parent), self.job.settings.timeout
        runs = self.job.runs(self.flatbuffers, cpus=cpus, folder=folder)
        printed = []
        with remote_folder(self.connection, folder, timeout=timeout):
            self._copy(files, folder)
            for number, run in enumerate(runs, start=1):
                text = self._execute(run)
                self.progress(f"{number}/{len(runs)}: {run}{_seen(run, text)}")
                printed.append((run, text))
            outputs = self.job.outputs(folder)
            if outputs:
                self.connection.pull(outputs, self.local, timeout=timeout)
        return printed

    def _copy(self, files: Sequence[Path], folder: str) -> None:
        timeout = self.job.settings.timeout
        self.connection.push(files, folder, timeout=timeout)
        script = self.job.permission_script(folder)
        output = self.connection.run(script, timeout=timeout)
        if output.code != 0:
            raise DeviceError(
                f"Expected to make the benchmark tool executable in {folder}, got: "
                f"{output.text.strip()}. Name another folder with --remote_folder."
            )

    def _execute(self, run: Run) -> str:
        timeout = run.seconds + self.job.settings.timeout
        output = self.connection.run(run.script, timeout=timeout)
        if output.code != 0:
            system = self.job.target.kind
            raise explain_failure(
                output.code, output.text, system=system, what=str(run)
            )
        return output.text

    def checks(self, samples: Sequence[np.ndarray]) -> list[OutputCheck]:
        wanted = self.job.settings.samples
        chosen = [array[:wanted] for array in samples]
        return [
            check_outputs(model, flatbuffer, chosen, self.local)
            for model, flatbuffer in self.flatbuffers.items()
            if wanted
        ]


def _seen(run: Run, text: str) -> str:
    """The time of a run for the line of progress."""
    if run.purpose != "latency":
        return ""
    return f": {read_run(run, text).average_ms:.3f} ms"


def _now() -> str:
    now = datetime.datetime.now(datetime.timezone.utc)
    return now.isoformat(timespec="seconds")


def _doubts_after(before: DeviceFacts, after: DeviceFacts) -> Iterator[str]:
    for words in after.throttling:
        if words not in before.throttling:
            yield f"After the measurement: {words}."
