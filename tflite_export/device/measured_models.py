"""A model that is to be measured on a device."""

import re
from dataclasses import dataclass
from pathlib import Path

from tflite_export.flatbuffer import Flatbuffer, FlatbufferError

__all__ = ["MeasuredModel"]


@dataclass(frozen=True)
class MeasuredModel:
    """A .tflite and what it is called in the report.

    # Attributes
        name: "float twin", "binary", "int8".
        path: Where it lies on this machine.
    """

    name: str
    path: Path

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9 _-]*", self.name):
            raise ValueError(
                "Expected a name of letters, digits, spaces and _-, got "
                f"{self.name!r}."
            )

    @property
    def file(self) -> str:
        """Its name on the device."""
        return f"{self.name.replace(' ', '_')}.tflite"

    def read(self) -> Flatbuffer:
        """What is in the file.

        # Raises
            ValueError: if there is no such file, or it is no .tflite.
        """
        if not self.path.is_file():
            raise ValueError(
                f"Expected the {self.name} model as a .tflite, found no file "
                f"{self.path}."
            )
        try:
            return Flatbuffer(self.path.read_bytes())
        except FlatbufferError as error:
            raise ValueError(f"{self.path}: {error}") from error
