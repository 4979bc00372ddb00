"""An Android phone through `adb`."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tflite_export.device.connection import Connection
from tflite_export.device.device_error import DeviceError
from tflite_export.device.local_process import run_local

__all__ = ["AdbConnection", "LIST_DEVICES", "ListedDevice", "choose", "list_devices"]

LIST_DEVICES = ("adb", "devices", "-l")
"""The command that tells what is connected."""

_UNPLUGGED = "Plug it in again, keep it awake, and run the same command again"
_ALLOW = (
    "Unlock the phone and allow USB debugging from this computer, or run `adb "
    "kill-server` and plug it in again if it does not ask"
)
_FAILURES = (
    ("no space left|enospc|not enough space", "its storage is full", "Make room on it"),
    ("unauthorized|ADB_VENDOR_KEYS", "it has not allowed this computer", _ALLOW),
    ("more than one device", "several are connected", "Name one with --serial"),
    ("offline", "it is offline", _UNPLUGGED),
    (
        r"no devices|device .*not found|device not found|error: closed"
        r"|connection reset|protocol fault|device disconnected|broken pipe",
        "it is not connected any more",
        _UNPLUGGED,
    ),
    (
        "cannot connect to daemon|failed to start daemon",
        "the server of `adb` does not start",
        "Run `adb kill-server`, then `adb devices`, and mend what that says",
    ),
    (
        "read-only file system",
        "the folder cannot be written",
        "Name another one with " "--remote_folder",
    ),
    (
        "permission denied",
        "it refuses the folder",
        "Name another one with " "--remote_folder",
    ),
)
_STATES = {
    "unauthorized": f"has not allowed this computer. {_ALLOW}",
    "authorizing": "is asking for permission. Allow it on the phone",
    "offline": f"is offline. {_UNPLUGGED}",
    "no": "may not be used by this user. Set the udev rules for it (on Debian and "
    "Ubuntu: `apt install android-sdk-platform-tools-common`), or start the server of "
    "`adb` as another user",
}


@dataclass(frozen=True)
class ListedDevice:
    """One line of `adb devices`.

    # Attributes
        serial: Its number, or address and port.
        state: "device" if it is ready, else "unauthorized", "offline", ...
        model: What it calls itself; empty if it does not tell.
    """

    serial: str
    state: str
    model: str

    def __str__(self) -> str:
        model = f" ({self.model})" if self.model else ""
        return f"{self.serial}{model}, {self.state}"


def list_devices(text: str) -> list[ListedDevice]:
    """Reads what `adb devices -l` prints.

    # Example
        >>> list_devices("List of devices attached\\n8A1X  device model:Pixel_4\\n")
        [ListedDevice(serial='8A1X', state='device', model='Pixel_4')]
    """
    lines = text.partition("List of devices attached")[2].splitlines()
    devices = []
    for fields in map(str.split, lines):
        if len(fields) >= 2 and not fields[0].startswith("*"):
            model = re.search(r"\bmodel:(\S+)", " ".join(fields[2:]))
            devices.append(
                ListedDevice(fields[0], fields[1], model[1] if model else "")
            )
    return devices


def choose(devices: Sequence[ListedDevice], serial: str | None) -> ListedDevice:
    """The device to use: the one that was named, or the only one that is ready.

    # Arguments
        devices: All that are connected.
        serial: Which of them; `None` where one only is ready.

    # Raises
        DeviceError: if there is none, or several.
    """
    listed = "; ".join(map(str, devices))
    if not devices:
        raise DeviceError(
            "Expected an Android device, found none. Connect a phone by USB, with USB "
            "debugging switched on in its developer options, and see that `adb "
            "devices` lists it."
        )
    ready = [device for device in devices if device.state == "device"]
    if serial is not None:
        named = [device for device in devices if device.serial == serial]
        if not named:
            raise DeviceError(
                f"Expected the device {serial!r}, found: {listed}. Correct --serial, "
                "or connect it."
            )
        ready = named
    elif len(ready) > 1:
        raise DeviceError(
            f"Expected one Android device, found {len(ready)}: {listed}. Name one with "
            "--serial."
        )
    chosen = (ready or devices)[0]
    if chosen.state != "device":
        what = _STATES.get(chosen.state, f"is in state {chosen.state!r}. {_UNPLUGGED}")
        raise DeviceError(
            f"Expected a device that is ready, but {chosen.serial} {what}."
        )
    return chosen


class AdbConnection(Connection):
    """One phone.

    # Arguments
        serial: Its number.
    """

    temporary_folder = "/data/local/tmp"
    failures = _FAILURES

    def __init__(self, serial: str):
        self.name = serial
        self._adb = ["adb", "-s", serial]

    def shell_command(self, script: str) -> list[str]:
        """The command that runs a shell script on the phone."""
        return [*self._adb, "shell", script]

    def push_command(self, files: Sequence[Path], folder: str) -> list[str]:
        """The command that copies files into a folder of the phone."""
        return [*self._adb, "push", *map(str, files), f"{folder}/"]

    def pull_command(self, files: Sequence[str], folder: Path) -> list[str]:
        """The command that copies files of the phone into a folder."""
        return [*self._adb, "pull", *files, str(folder)]

    @classmethod
    def find(cls, serial: str | None, *, timeout: float) -> "AdbConnection":
        """The way to the phone that is connected.

        # Arguments
            serial: Which one, if there are several.
            timeout: Seconds that `adb` may take to tell.

        # Raises
            DeviceError: if there is none, or none that can be used.
        """
        output = run_local(LIST_DEVICES, timeout=timeout)
        if output.code != 0:
            said = " | ".join(filter(None, map(str.strip, output.errors.splitlines())))
            raise DeviceError(
                f"Expected `adb devices` to tell what is connected, got: {said}. Run "
                "`adb kill-server`, then `adb devices`, and mend what that says."
            )
        return cls(choose(list_devices(output.text), serial).serial)
