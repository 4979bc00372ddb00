"""All runs on a device, one after the other, with what they bring kept at once."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from tflite_export.device.benchmark_failure import explain_failure
from tflite_export.device.device_error import DeviceError, RunError
from tflite_export.device.device_facts import DeviceFacts
from tflite_export.device.found_device import FoundDevice
from tflite_export.device.job import Job
from tflite_export.device.measured_models import MeasuredModel
from tflite_export.device.output_check import OutputCheck, check_outputs
from tflite_export.device.remote_folder import new_folder, remote_folder
from tflite_export.device.run_results import RunResults
from tflite_export.device.runs import Run
from tflite_export.flatbuffer import Flatbuffer

__all__ = ["RunSession"]


class RunSession:
    """One measurement while it goes on, and what it has brought.

    # Arguments
        device: Where.
        job: What and how.
        flatbuffers: The models.
        samples: What outputs are compared for, one array [N, ...] for each input.
        local: Where outputs of the device go on this machine.
        progress: Called with a line for each step.

    # Attributes
        results: What was measured.
        checks: Outputs of the device beside those of this machine.
        facts_after: What the device told of itself at the end; `None` if it was lost.
        failures: What went wrong, in sentences.
        missing: Runs that were not made, or gave nothing.
    """

    def __init__(
        self,
        device: FoundDevice,
        job: Job,
        flatbuffers: Mapping[MeasuredModel, Flatbuffer],
        samples: Sequence[np.ndarray],
        local: Path,
        progress: Callable[[str], None],
    ):
        self._device, self._job, self._flatbuffers = device, job, flatbuffers
        self._samples, self._local, self._progress = samples, local, progress
        self._folder = new_folder(device.parent)
        self._runs = job.runs(flatbuffers, cpus=device.facts.cpus, folder=self._folder)
        self._made: set[str] = set()
        self._failed: set[str] = set()
        self.results = RunResults()
        self.checks: list[OutputCheck] = []
        self.facts_after: DeviceFacts | None = None
        self.failures: list[str] = []

    @property
    def missing(self) -> list[str]:
        """Runs that were not made, or gave nothing, each once."""
        return [name for name in self._names if name not in self._made]

    @property
    def _names(self) -> list[str]:
        return list(dict.fromkeys(map(str, self._runs)))

    def run_all(self, files: Sequence[Path]) -> None:
        """Copies the files, makes the runs, and removes all of it.

        # Raises
            DeviceError: if anything goes wrong before there is a result. Later it
                becomes one of the `failures`.
        """
        timeout = self._job.settings.timeout
        try:
            with remote_folder(self._device.connection, self._folder, timeout=timeout):
                self._copy(files)
                self._check_outputs()
                for number, run in enumerate(self._runs, start=1):
                    if run.purpose != "check" and str(run) not in self._failed:
                        self._take(number, run)
            self.facts_after = self._device.facts_now(timeout=timeout)
        except DeviceError as error:
            if not self.results.latencies:
                raise
            self.failures.append(str(error))

    def _copy(self, files: Sequence[Path]) -> None:
        timeout = self._job.settings.timeout
        connection = self._device.connection
        connection.push(files, self._folder, timeout=timeout)
        script = self._job.permission_script(self._folder)
        output = connection.run(script, timeout=timeout)
        if output.code != 0:
            raise DeviceError(
                "Expected to make the benchmark tool executable in "
                f"{self._folder}, got: {output.text.strip()}. Name another folder "
                "with --remote_folder."
            )

    def _check_outputs(self) -> None:
        """Lets the device compute the samples, and compares, before the long runs."""
        if not self._job.settings.samples:
            return
        for number, run in enumerate(self._runs, start=1):
            if run.purpose == "check":
                self._execute(run)
                self._note(number, run)
        self._device.connection.pull(
            self._job.outputs(self._folder),
            self._local,
            timeout=self._job.settings.timeout,
        )
        chosen = [array[: self._job.settings.samples] for array in self._samples]
        for model, flatbuffer in self._flatbuffers.items():
            check = check_outputs(model, flatbuffer, chosen, self._local)
            self.checks.append(check)
            if not check.is_right:
                self._progress(f"note: the outputs of {model.name} are wrong")

    def _take(self, number: int, run: Run) -> None:
        try:
            self._note(number, run, self.results.add(run, self._execute(run)))
        except RunError as error:
            if not run.is_optional:
                raise
            self._failed.add(str(run))
            self.failures.append(str(error))
            self._progress(f"{number}/{len(self._runs)}: failed: {error}")

    def _note(self, number: int, run: Run, figure: str = "") -> None:
        self._made.add(str(run))
        seen = f": {figure}" if figure else ""
        self._progress(f"{number}/{len(self._runs)}: {run}{seen}")

    def _execute(self, run: Run) -> str:
        timeout = run.seconds + self._job.settings.timeout
        output = self._device.connection.run(run.script, timeout=timeout)
        if output.code != 0:
            system = self._device.facts.system
            raise explain_failure(
                output.code, output.text, system=system, what=f"the {run}"
            )
        return output.text
