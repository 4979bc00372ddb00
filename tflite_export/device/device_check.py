"""Whether a device can run the benchmark, and what would make its numbers doubtful."""

from tflite_export.device.benchmark_binary import BenchmarkBinary
from tflite_export.device.device_error import DeviceError
from tflite_export.device.device_facts import DeviceFacts

__all__ = ["check_device", "check_space"]

_BUILT_FOR_API = 30  # of Android: the release is built with it (its release workflow)
_HOT = 60.0  # degrees Celsius of a processor at rest
_HOT_BATTERY = 40.0
_LOW_BATTERY = 20  # percent
_SLOW_GOVERNORS = ("powersave", "conservative")
_SPARE_BYTES = 2 * 2**20  # results and the file system's own


def check_device(facts: DeviceFacts, binary: BenchmarkBinary) -> tuple[str, ...]:
    """Refuses a device that cannot run the benchmark.

    # Arguments
        facts: What it tells of itself.
        binary: What is to run there.

    # Returns
        What makes its numbers doubtful, in sentences.

    # Raises
        DeviceError: for a 32-bit system, or a glibc that is too old.
    """
    _check_64_bit(facts)
    if facts.system == "linux":
        _check_glibc(facts, binary)
    return tuple(_doubts(facts))


def check_space(facts: DeviceFacts, needed_bytes: int) -> None:
    """Refuses a device without space.

    # Arguments
        facts: What it tells of itself.
        needed_bytes: Size of the files that are copied to it.

    # Raises
        DeviceError: if they do not fit.
    """
    needed = needed_bytes + _SPARE_BYTES
    if facts.free_bytes is not None and facts.free_bytes < needed:
        raise DeviceError(
            f"Expected {needed / 1e6:.1f} MB of free space on the device, got "
            f"{facts.free_bytes / 1e6:.1f} MB. Make room, or name another folder with "
            "--remote_folder."
        )


def _check_64_bit(facts: DeviceFacts) -> None:
    if facts.system == "android":
        if "arm64-v8a" in facts.abis:
            return
        raise DeviceError(
            "Expected a phone with a 64-bit system (arm64-v8a), got "
            f"{', '.join(facts.abis) or facts.machine or 'one that does not tell'}. "
            "Larq Compute Engine is fast on 64-bit ARM only: use another phone."
        )
    if facts.machine not in ("aarch64", "arm64"):
        raise DeviceError(
            f"Expected a board with 64-bit Linux (aarch64), got {facts.machine!r}. "
            "Larq Compute Engine is fast on 64-bit ARM only: install a 64-bit system."
        )
    if facts.bits == 32:
        raise DeviceError(
            "Expected a 64-bit system, got 32-bit programs on a 64-bit kernel, as of a "
            "32-bit Raspberry Pi OS. Install the 64-bit one."
        )


def _check_glibc(facts: DeviceFacts, binary: BenchmarkBinary) -> None:
    needed = binary.elf.glibc
    if needed is None:
        return
    if facts.glibc is None:
        raise DeviceError(
            f"Expected a Linux with glibc {needed[0]}.{needed[1]} or newer, got "
            f"{facts.version or 'one that does not tell'}. Use a system with glibc, "
            "such as Debian 12."
        )
    if facts.glibc < needed:
        raise DeviceError(
            f"Expected glibc {needed[0]}.{needed[1]} or newer, which "
            f"{binary.path.name} needs, got {facts.glibc[0]}.{facts.glibc[1]} "
            f"({facts.version}). Upgrade the system (Debian 12, Ubuntu 22.04 or newer)."
        )


def _doubts(facts: DeviceFacts) -> list[str]:
    doubts = [f"Before the measurement: {words}." for words in facts.throttling]
    slow = [one for one in facts.governors if one in _SLOW_GOVERNORS]
    if slow:
        doubts.append(
            f"The governor is {slow[0]}: the clock stays low. Set `performance`, or "
            "read the numbers as those of a saving mode."
        )
    for part, heat, limit in (
        ("processor", facts.celsius, _HOT),
        ("battery", facts.battery_celsius, _HOT_BATTERY),
    ):
        if heat is not None and heat > limit:
            doubts.append(
                f"The {part} has {heat:.0f} °C before the measurement: cool it."
            )
    level = facts.battery_percent
    if level is not None and level < _LOW_BATTERY and not facts.is_powered:
        doubts.append(f"The battery is at {level} %: phones slow down. Charge it.")
    if facts.api is not None and facts.api < _BUILT_FOR_API:
        doubts.append(
            f"The system is {facts.version}; the benchmark tool is built for API "
            f"{_BUILT_FOR_API}."
        )
    return doubts
