"""What is measured on a device: files, or a run (`tflite_export.deployed_run`)."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from tflite_export.device import MeasuredModel
from tflite_export.device.output_check import random_samples

__all__ = ["DeployedFiles", "DeployedModels", "Samples", "named_models"]


@dataclass(frozen=True)
class Samples:
    """What outputs are compared for.

    # Attributes
        arrays: One array [N, ...] for each input.
        kind: What that is, for the report.
    """

    arrays: list[np.ndarray]
    kind: str


class DeployedModels(Protocol):
    """Models that may still have to be made, and samples for them."""

    @property
    def title(self) -> str:
        """What the models are of."""

    @property
    def folder(self) -> Path:
        """Where reports go."""

    def models(self) -> list[MeasuredModel]:
        """Which models there are or will be, checked as far as that takes no time."""

    def prepare(self) -> None:
        """Makes the models that are not there yet."""

    def samples(self, count: int) -> Samples:
        """So many inputs."""


@dataclass(frozen=True)
class DeployedFiles:
    """Files that are there.

    # Attributes
        binary: A .tflite.
        float_twin: The same network in full precision.
        int8: The same with int8.
    """

    binary: Path
    float_twin: Path | None = None
    int8: Path | None = None

    @property
    def title(self) -> str:
        """The name of the file."""
        return self.binary.name

    @property
    def folder(self) -> Path:
        """That of the binary model."""
        return self.binary.parent

    def models(self) -> list[MeasuredModel]:
        """The files.

        # Raises
            ValueError: if one is not there, or no .tflite.
        """
        models = named_models(self.float_twin, self.binary, self.int8)
        for model in models:
            model.read()
        return models

    def prepare(self) -> None:
        """Nothing is to be made."""

    def samples(self, count: int) -> Samples:
        """Noise: a file does not tell what it was trained on."""
        flatbuffer = MeasuredModel("binary", self.binary).read()
        return Samples(random_samples(flatbuffer, count), "random images")


def named_models(
    float_twin: Path | None, binary: Path, int8: Path | None
) -> list[MeasuredModel]:
    """Those of the three that there are, in the order in which they have turns."""
    named = {"float twin": float_twin, "binary": binary, "int8": int8}
    return [MeasuredModel(name, path) for name, path in named.items() if path]
