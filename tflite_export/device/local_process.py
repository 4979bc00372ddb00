"""Runs `adb`, `ssh` and `scp`: to their end, or not at all."""

import subprocess
import tempfile
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import IO

from tflite_export.device.device_error import DeviceError

__all__ = ["ProcessOutput", "run_local"]

_WHERE_FROM = {
    "adb": "Install the Android platform tools (on Debian and Ubuntu: `apt install "
    "adb`) and put their folder on the PATH",
    "ssh": "Install an OpenSSH client (on Debian and Ubuntu: `apt install "
    "openssh-client`)",
    "scp": "Install an OpenSSH client (on Debian and Ubuntu: `apt install "
    "openssh-client`)",
}


@dataclass(frozen=True)
class ProcessOutput:
    """What a process left.

    # Attributes
        code: Its exit code, negative for a signal.
        text: What it wrote to standard output.
        errors: What it wrote to standard error.
    """

    code: int
    text: str
    errors: str


def run_local(command: Sequence[str], *, timeout: float) -> ProcessOutput:
    """Runs a command of this machine, away from the terminal's Ctrl-C.

    # Arguments
        command: The program and its arguments; no shell reads them.
        timeout: Seconds that it may take.

    # Raises
        DeviceError: if it is not installed, or takes too long.
    """
    # files, not pipes: a server that the command starts would keep those open
    with tempfile.TemporaryFile() as text, tempfile.TemporaryFile() as errors:
        process = _start(command, text, errors)
        try:
            if not _ends(process, timeout):
                raise DeviceError(
                    f"Expected `{command[0]}` to end within {timeout:g} s, it did not, "
                    "and was stopped. See whether the device is awake and connected, "
                    "or give it more time with --timeout."
                )
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
        return ProcessOutput(process.returncode, _content(text), _content(errors))


def _start(
    command: Sequence[str], text: IO[bytes], errors: IO[bytes]
) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=text,
            stderr=errors,
            start_new_session=True,
        )
    except FileNotFoundError as error:
        remedy = _WHERE_FROM.get(command[0], "Install it")
        raise DeviceError(
            f"Expected `{command[0]}` on this machine, found none. {remedy}."
        ) from error
    except PermissionError as error:
        raise DeviceError(
            f"Expected `{command[0]}` to be a program, got a file that may not be run. "
            "See what stands on the PATH by that name."
        ) from error


def _ends(process: subprocess.Popen[bytes], timeout: float) -> bool:
    """Waits at most so many seconds; `Popen.wait` would look only every 50 ms."""
    waiter = threading.Thread(target=process.wait, daemon=True)
    waiter.start()
    waiter.join(timeout)
    return not waiter.is_alive()


def _content(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode(errors="replace").replace("\r\n", "\n")
