"""The order of a deployment: what takes no time first, then the device, then work."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from larq_irnet.atomic_path import atomic_path
from tflite_export.deployed_files import DeployedModels
from tflite_export.device import (
    BenchmarkBinary,
    DeviceError,
    DeviceReport,
    Job,
    Settings,
    Target,
    check_binary,
    dry_run,
    find_device,
    measure,
    render_device_page,
)
from tflite_export.device.benchmark_binary import ASSETS
from tflite_export.device.interruption import interruptible
from tflite_export.device.remote_folder import new_folder

__all__ = ["Deployment", "check_report", "deploy", "planned_commands"]


@dataclass(frozen=True)
class Deployment:
    """What to measure where, and what to leave here.

    # Attributes
        models: What to measure.
        target: The device.
        serial: Which phone, if there are several.
        settings: How to measure.
        remote_folder: Folder of the device to work in; `None` for the usual one.
        benchmark_binary: The benchmark tool; `None` for the file with the name of the
            release, here or in the folder of the models.
        sha256: The checksum that it must have.
        output: Folder for the report; `None` for that of the models.
    """

    models: DeployedModels
    target: Target
    serial: str | None = None
    settings: Settings = Settings()
    remote_folder: str | None = None
    benchmark_binary: Path | None = None
    sha256: str | None = None
    output: Path | None = None

    def __post_init__(self) -> None:
        if self.serial is not None and self.target.kind != "android":
            raise ValueError("Expected --serial with --target=android only.")
        if self.remote_folder is not None:
            new_folder(self.remote_folder)  # refuses names that need guessing
        if self.output is not None and not self.output.is_dir():
            raise ValueError(
                f"Expected --output to be a folder, found none: {self.output}."
            )

    @property
    def folder(self) -> Path:
        """Where the report goes."""
        return self.models.folder if self.output is None else self.output

    def job(self) -> Job:
        """What to measure, where and how; models may still have to be made."""
        return Job(
            title=self.models.title,
            models=self.models.models(),
            target=self.target,
            serial=self.serial,
            settings=self.settings,
            parent=self.remote_folder,
        )

    def binary(self) -> BenchmarkBinary:
        """The benchmark tool, looked at."""
        path = self.benchmark_binary
        if path is None:
            beside = self.models.folder / ASSETS[self.target.kind]
            path = beside if beside.is_file() else Path(beside.name)
        return check_binary(path, self.target, sha256=self.sha256)


def planned_commands(deployment: Deployment) -> Iterator[list[str]]:
    """Every command that `deploy` would run, in order; none is."""
    return dry_run(deployment.job())


def deploy(
    deployment: Deployment, *, progress: Callable[[str], None] = lambda line: None
) -> DeviceReport:
    """Finds the device, makes the models that are missing, measures, and reports.

    # Arguments
        deployment: What, where, how.
        progress: Called with a line for each step.

    # Returns
        The report, which is written as well. It may be incomplete, or tell of wrong
        outputs: see `check_report`.

    # Raises
        DeviceError: if anything goes wrong with the device before there is a result.
        ValueError: for files that do not fit.
    """
    job, binary = deployment.job(), deployment.binary()
    if not binary.is_checked:
        progress(
            f"note: no checksum is known for {binary.path}, so it is unchecked; its "
            f"SHA-256 is {binary.sha256}"
        )
    device = find_device(job, binary)
    progress(f"device: {device.facts.model}, {device.facts.version}")
    for doubt in device.doubts:
        progress(f"note: {doubt}")
    arrays, kind = [], "nothing"
    if job.settings.samples:
        samples = deployment.models.samples(job.settings.samples)
        arrays, kind = samples.arrays, samples.kind
    if any(not model.path.is_file() for model in job.models):
        progress("converting what is missing, once")
    deployment.models.prepare()
    with interruptible():
        report = measure(
            job,
            binary,
            arrays,
            kind_of_samples=kind,
            device=device,
            progress=progress,
        )
    _write(report, deployment.folder, progress)
    return report


def _write(report: DeviceReport, folder: Path, progress: Callable[[str], None]) -> None:
    texts = {
        folder / "device_report.json": report.to_json(),
        folder / "device_report.html": render_device_page(report),
    }
    for path, text in texts.items():
        with atomic_path(path) as partial:
            partial.write_text(text, encoding="utf-8")
        progress(f"report: {path}")


def check_report(report: DeviceReport) -> None:
    """Makes sure that a report is complete, and that all outputs were right.

    # Raises
        DeviceError: if not; the report has been written all the same.
    """
    if report.failures:
        raise DeviceError(
            f"{' '.join(report.failures)} The report has what was measured; "
            f"{len(report.missing)} kinds of runs are missing, and listed there."
        )
    wrong = [check.model for check in report.checks if not check.is_right]
    if wrong:
        raise DeviceError(
            "Expected the device to compute what this machine computes, but the "
            f"outputs of {', '.join(wrong)} differ; the report shows by how much. Take "
            "the benchmark tool of the release that the model was exported with."
        )
