"""The way to a device: a shell, and files to and from it."""

import abc
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from tflite_export.device.device_error import DeviceError
from tflite_export.device.local_process import ProcessOutput, run_local

__all__ = ["Connection", "RemoteOutput"]

_MARK = "irnet-exit:"
_END = re.compile(rf"\n{_MARK}(\d+)\s*\Z")


@dataclass(frozen=True)
class RemoteOutput:
    """What a script on a device left.

    # Attributes
        code: Its exit code.
        text: What it wrote, errors included.
    """

    code: int
    text: str


class Connection(abc.ABC):
    """How to reach a device; each way builds its own commands.

    # Attributes
        name: Of the device, for messages.
        temporary_folder: Where programs may be put and run.
        failures: What the words of its commands mean, first match first: pattern,
            what was got, what to do.
    """

    name: str
    temporary_folder: str
    failures: Sequence[tuple[str, str, str]]

    @abc.abstractmethod
    def shell_command(self, script: str) -> list[str]:
        """The command that runs a shell script on the device."""

    @abc.abstractmethod
    def push_command(self, files: Sequence[Path], folder: str) -> list[str]:
        """The command that copies files into a folder of the device."""

    @abc.abstractmethod
    def pull_command(self, files: Sequence[str], folder: Path) -> list[str]:
        """The command that copies files of the device into a folder."""

    def script_command(self, script: str) -> list[str]:
        """The command for a script that also tells its exit code.

        Old versions of `adb` do not pass it on, and 255 may be ssh's or the script's.
        """
        framed = f"( {script}\n) 2>&1; printf '\\n{_MARK}%d\\n' $?"
        return self.shell_command(framed)

    def run(self, script: str, *, timeout: float) -> RemoteOutput:
        """Runs a script on the device.

        # Arguments
            script: For a POSIX shell; what comes from a user has to be quoted in it.
            timeout: Seconds that it may take.

        # Raises
            DeviceError: if the device cannot be reached, or is lost on the way.
        """
        output = run_local(self.script_command(script), timeout=timeout)
        end = _END.search(output.text)
        if end is None:
            self._fail(output, "run a command on it")
        return RemoteOutput(int(end[1]), output.text[: end.start()])

    def push(self, files: Sequence[Path], folder: str, *, timeout: float) -> None:
        """Copies files into a folder of the device.

        # Raises
            DeviceError: if that fails, such as for want of space.
        """
        output = run_local(self.push_command(files, folder), timeout=timeout)
        if output.code != 0:
            self._fail(output, f"copy files to {folder}")

    def pull(self, files: Sequence[str], folder: Path, *, timeout: float) -> None:
        """Copies files of the device into a folder.

        # Raises
            DeviceError: if that fails.
        """
        output = run_local(self.pull_command(files, folder), timeout=timeout)
        if output.code != 0:
            self._fail(output, "fetch results from it")

    def _fail(self, output: ProcessOutput, attempt: str) -> NoReturn:
        words = f"{output.errors}\n{output.text}"
        for pattern, got, remedy in self.failures:
            if re.search(pattern, words, re.IGNORECASE):
                raise DeviceError(
                    f"Expected to {attempt} ({self.name}), but {got}. {remedy}."
                )
        lines = [line.strip() for line in words.splitlines() if line.strip()]
        said = " | ".join(lines[-3:]) or "nothing was said"
        raise DeviceError(
            f"Expected to {attempt} ({self.name}), got exit code {output.code}: "
            f"{said}. See whether it is connected, and run the same command again."
        )
