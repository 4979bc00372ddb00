"""A folder of our own on a device, that is gone afterwards whatever happens."""

import contextlib
import logging
import re
import secrets
import shlex
from collections.abc import Iterator

from tflite_export.device.connection import Connection, RemoteOutput
from tflite_export.device.device_error import DeviceError
from tflite_export.device.interruption import shielded

__all__ = ["PID_FILE", "make_script", "new_folder", "remote_folder", "remove_script"]

PID_FILE = "running.pid"
"""Where a script in the folder notes the processes that it has started."""

_LOGGER = logging.getLogger(__name__)
_REMOVAL_SECONDS = 30.0
_PATH = re.compile(r"/[A-Za-z0-9_./-]+")


def new_folder(parent: str) -> str:
    """A name for a folder that does not exist yet.

    # Arguments
        parent: The folder to make it in.

    # Raises
        ValueError: for a name that commands on the device would have to guess about.
    """
    if not _PATH.fullmatch(parent):
        raise ValueError(
            "Expected --remote_folder to be an absolute path of letters, digits and "
            f"_.-/, got {parent!r}."
        )
    return f"{parent.rstrip('/')}/irnet-{secrets.token_hex(8)}"


def make_script(path: str) -> str:
    """The script that makes the folder, and fails if it is there."""
    return f"mkdir -m 700 {shlex.quote(path)}"


def remove_script(path: str) -> str:
    """The script that ends what still runs in the folder and removes it."""
    folder, pids = shlex.quote(path), shlex.quote(f"{path}/{PID_FILE}")
    return (
        f"if [ -s {pids} ]; then kill -9 $(cat {pids}) 2>/dev/null; fi\n"
        f"rm -rf {folder}; [ ! -e {folder} ]"
    )


@contextlib.contextmanager
def remote_folder(
    connection: Connection, path: str, *, timeout: float
) -> Iterator[None]:
    """Makes a folder on the device, and removes it at the end, also after Ctrl-C.

    # Arguments
        connection: The way to the device.
        path: From `new_folder`.
        timeout: Seconds that the device may take to make it.

    # Raises
        DeviceError: if it cannot be made or removed. What is left on the device, and
            how to remove it, is part of every such error.
    """
    made: RemoteOutput | None = None
    try:
        made = connection.run(make_script(path), timeout=timeout)
        if made.code != 0:
            raise DeviceError(
                f"Expected to make the folder {path} on {connection.name}, got: "
                f"{made.text.strip()}. Make room there, or name another folder with "
                "--remote_folder."
            )
        yield
    except BaseException as error:
        left = "" if made is not None and made.code else _remove(connection, path)
        if left and isinstance(error, DeviceError):
            raise DeviceError(f"{error} {left}") from error
        if left:
            _LOGGER.warning("%s", left)
        raise
    left = _remove(connection, path)
    if left:
        raise DeviceError(left)


def _remove(connection: Connection, path: str) -> str:
    """Removes the folder; says what is left if that fails."""
    with shielded():
        try:
            output = connection.run(remove_script(path), timeout=_REMOVAL_SECONDS)
        except DeviceError:
            output = None
    if output is not None and output.code == 0:
        return ""
    command = shlex.join(connection.shell_command(f"rm -rf {shlex.quote(path)}"))
    return (
        f"The folder {path} is left on {connection.name}, maybe with a running "
        f"benchmark; when it is back, remove it: `{command}`."
    )
