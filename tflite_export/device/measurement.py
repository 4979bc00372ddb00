"""The whole way: find the device, check it, copy, run, read, and leave no trace."""

import datetime
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from tflite_export.device.benchmark_binary import RELEASE, BenchmarkBinary
from tflite_export.device.device_check import check_space
from tflite_export.device.device_facts import DeviceFacts
from tflite_export.device.device_report import DeviceReport, ModelFacts, ToolFacts
from tflite_export.device.found_device import FoundDevice, find_device
from tflite_export.device.job import Job
from tflite_export.device.run_session import RunSession
from tflite_export.report import versions

__all__ = ["measure"]


def measure(
    job: Job,
    binary: BenchmarkBinary,
    samples: Sequence[np.ndarray],
    *,
    kind_of_samples: str = "random images",
    device: FoundDevice | None = None,
    progress: Callable[[str], None] = lambda line: None,
) -> DeviceReport:
    """Measures models on a device.

    If the device is lost after something was measured, or a run fails that others do
    not depend on, the report has what was measured, and says what is missing.

    # Arguments
        job: What, where, how.
        binary: The benchmark tool.
        samples: What outputs are compared for: one array [N, ...] for each input, N of
            at least `job.settings.samples`.
        kind_of_samples: What they are, for the report.
        device: From `find_device`; `None` to find it now.
        progress: Called with a line for each step.

    # Raises
        DeviceError: if anything goes wrong with the device before there is a result;
            nothing is left on it then, unless the error says so.
        ValueError: for models and samples that do not fit.
    """
    flatbuffers = {model: model.read() for model in job.models}
    if device is None:
        device = find_device(job, binary)
    with tempfile.TemporaryDirectory() as local:
        files = job.write_files(flatbuffers, binary.path, samples, Path(local))
        check_space(device.facts, sum(file.stat().st_size for file in files))
        session = RunSession(device, job, flatbuffers, samples, Path(local), progress)
        session.run_all(files)
    after = session.facts_after
    return DeviceReport(
        title=job.title,
        measured_at=_now(),
        device=device.facts,
        device_after=after,
        tool=ToolFacts(binary.path.name, RELEASE, binary.sha256, binary.is_checked),
        models=tuple(
            ModelFacts(model.name, model.path.name, len(flatbuffer.content))
            for model, flatbuffer in flatbuffers.items()
        ),
        latencies=tuple(session.results.latencies),
        operators=session.results.profiles,
        memory=tuple(session.results.memory),
        sustained=session.results.sustained,
        checks=tuple(session.checks),
        samples=kind_of_samples,
        failures=tuple(session.failures),
        missing=tuple(session.missing),
        doubts=(*device.doubts, *_doubts_after(device.facts, after)),
        versions=versions(),
    )


def _now() -> str:
    now = datetime.datetime.now(datetime.timezone.utc)
    return now.isoformat(timespec="seconds")


def _doubts_after(before: DeviceFacts, after: DeviceFacts | None) -> Iterator[str]:
    for words in () if after is None else after.throttling:
        if words not in before.throttling:
            yield f"After the measurement: {words}."
