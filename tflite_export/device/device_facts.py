"""What a device is, and what state it is in."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from tflite_export.device.facts_script import read_fields
from tflite_export.device.temperature import battery_temperature, read_temperature
from tflite_export.device.throttling import read_throttling

__all__ = ["DeviceFacts", "read_facts"]


@dataclass(frozen=True)
class DeviceFacts:
    """What a device tells of itself; what it does not tell is `None` or empty.

    # Attributes
        system: "android" or "linux".
        model: Such as "Google Pixel 4" or "Raspberry Pi 4 Model B Rev 1.2".
        version: Such as "Android 13 (API 33)" or "Debian GNU/Linux 12, glibc 2.36".
        machine: Of the kernel, such as "aarch64".
        abis: Of Android, such as ("arm64-v8a", "armeabi-v7a").
        bits: Of the programs that Linux runs, 32 or 64.
        api: Of Android.
        glibc: Its version, of Linux.
        cpus: How many cores.
        megahertz: The highest clock of each kind of core, the fastest first.
        governors: Of the clock, each once.
        free_bytes: Where the model is put.
        celsius: The temperature of the processor, else of the battery.
        battery_celsius: The temperature of the battery.
        throttling: What holds the clock back, or did, in words.
        battery_percent: How full it is.
        is_powered: Whether a phone is being charged.
    """

    system: str
    model: str
    version: str
    machine: str
    abis: tuple[str, ...]
    bits: int | None
    api: int | None
    glibc: tuple[int, int] | None
    cpus: int
    megahertz: tuple[int, ...]
    governors: tuple[str, ...]
    free_bytes: int | None
    celsius: float | None
    battery_celsius: float | None
    throttling: tuple[str, ...]
    battery_percent: int | None
    is_powered: bool


def read_facts(text: str, system: str) -> DeviceFacts:
    """Reads what `facts_script` has printed.

    # Arguments
        text: What it printed.
        system: "android" or "linux".
    """
    fields = read_fields(text)
    glibc = re.search(
        r"glibc\D*(\d+)\.(\d+)|ldd \(.*\) (\d+)\.(\d+)",
        _first(fields, "libc"),
        re.IGNORECASE,
    )
    numbers = [int(one) for one in glibc.groups() if one] if glibc else []
    clocks = sorted(
        {int(one) // 1000 for one in fields.get("maximum", []) if one.isdigit()},
        reverse=True,
    )
    soc = _first(fields, "soc")
    return DeviceFacts(
        system=system,
        model=_first(fields, "model") + (f" ({soc})" if soc else ""),
        version=_version(fields, system),
        machine=_first(fields, "machine"),
        abis=tuple(filter(None, _first(fields, "abis").split(","))),
        bits=_whole(_first(fields, "bits")),
        api=_whole(_first(fields, "api")),
        glibc=(numbers[0], numbers[1]) if numbers else None,
        cpus=_whole(_first(fields, "cpus")) or 1,
        megahertz=tuple(clocks),
        governors=tuple(dict.fromkeys(fields.get("governor", []))),
        free_bytes=_free_bytes(_first(fields, "space")),
        celsius=read_temperature(fields),
        battery_celsius=battery_temperature(fields),
        throttling=tuple(read_throttling(fields)),
        battery_percent=_whole(_first(fields, "battery")),
        is_powered="powered" in fields,
    )


def _first(fields: dict[str, list[str]], key: str) -> str:
    return fields.get(key, [""])[0]


def _whole(text: str) -> int | None:
    return int(text) if text.isdigit() else None


def _version(fields: dict[str, list[str]], system: str) -> str:
    if system == "android":
        api = _first(fields, "api")
        return f"Android {_first(fields, 'android')}" + (f" (API {api})" if api else "")
    parts = (_first(fields, "system"), _first(fields, "libc"))
    return ", ".join(filter(None, parts))


def _free_bytes(line: str) -> int | None:
    """The fourth column of `df -k`: kibibytes that are free."""
    columns: Sequence[str] = line.split()
    shares = [index for index, one in enumerate(columns) if one.endswith("%")]
    if not shares or shares[0] < 1 or not columns[shares[0] - 1].isdigit():
        return None
    return 1024 * int(columns[shares[0] - 1])
