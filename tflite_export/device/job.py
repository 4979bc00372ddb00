"""One measurement: what, where, how, and by which files on the device."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from shutil import copyfile

import numpy as np

from tflite_export.device.benchmark_binary import ASSETS
from tflite_export.device.measured_models import MeasuredModel
from tflite_export.device.output_check import write_inputs
from tflite_export.device.runs import (
    Run,
    Settings,
    input_file,
    output_file,
    planned_runs,
)
from tflite_export.device.target import Target
from tflite_export.flatbuffer import Flatbuffer

__all__ = ["Job"]


@dataclass(frozen=True)
class Job:
    """What to measure, where, and how.

    # Attributes
        title: What the models are of.
        models: In the order in which they have their turns.
        target: The device.
        serial: Which phone, if there are several.
        settings: How to measure.
        parent: Folder of the device to work in; `None` for the usual one.
    """

    title: str
    models: Sequence[MeasuredModel]
    target: Target
    serial: str | None = None
    settings: Settings = Settings()
    parent: str | None = None

    @property
    def tool(self) -> str:
        """Name of the benchmark tool on the device."""
        return ASSETS[self.target.kind]

    def runs(
        self,
        flatbuffers: Mapping[MeasuredModel, Flatbuffer],
        *,
        cpus: int,
        folder: str,
    ) -> list[Run]:
        """All that is run on the device, in order.

        # Arguments
            flatbuffers: The models.
            cpus: Cores of the device.
            folder: Where everything lies there.
        """
        shapes = {
            model: [tensor.shape for tensor in flatbuffer.inputs]
            for model, flatbuffer in flatbuffers.items()
        }
        return planned_runs(
            shapes, self.settings, cpus=cpus, folder=folder, tool=self.tool
        )

    def file_names(self, flatbuffers: Mapping[MeasuredModel, Flatbuffer]) -> list[str]:
        """Names of all files that are copied to the device."""
        names = [self.tool]
        for model, flatbuffer in flatbuffers.items():
            names.append(model.file)
            for index in range(len(flatbuffer.inputs)):
                for number in range(self.settings.samples):
                    names.append(input_file(model, number, index))
        return names

    def write_files(
        self,
        flatbuffers: Mapping[MeasuredModel, Flatbuffer],
        tool: Path,
        samples: Sequence[np.ndarray],
        folder: Path,
    ) -> list[Path]:
        """Puts them into a folder of this machine, by the names of `file_names`.

        # Raises
            ValueError: for samples that do not fit, or too few.
        """
        wanted = self.settings.samples
        if any(len(array) < wanted for array in samples):
            raise ValueError(
                f"Expected {wanted} samples to compare outputs for, got "
                f"{min(map(len, samples))}. Ask for fewer with --samples."
            )
        chosen = [array[:wanted] for array in samples]
        files = [Path(copyfile(tool, folder / self.tool))]
        for model, flatbuffer in flatbuffers.items():
            path = folder / model.file
            path.write_bytes(flatbuffer.content)
            files.append(path)
            if wanted:
                files += write_inputs(model, flatbuffer, chosen, folder)
        return files

    def permission_script(self, folder: str) -> str:
        """The script that makes the tool a program, after it was copied."""
        return f"chmod 700 {shlex.quote(f'{folder}/{self.tool}')}"

    def outputs(self, folder: str) -> list[str]:
        """What the device writes, with their paths there."""
        return [
            f"{folder}/{output_file(model, number)}"
            for model in self.models
            for number in range(self.settings.samples)
        ]
