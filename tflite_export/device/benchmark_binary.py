"""The benchmark tool of Larq Compute Engine: which file of which release, and is it."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from tflite_export.device.elf import Elf, read_elf
from tflite_export.device.target import Target

__all__ = [
    "ASSETS",
    "BenchmarkBinary",
    "PINNED_SHA256",
    "RELEASE",
    "check_binary",
    "where_to_get",
]

RELEASE = "v0.16.0"
"""The release of larq/compute-engine whose models and tools go together."""

ASSETS: Mapping[str, str] = MappingProxyType(
    {
        "android": "lce_benchmark_model_android_arm64",
        "linux": "lce_benchmark_model_aarch64",
    }
)
"""The file of the release, by system."""

PINNED_SHA256: Mapping[str, str] = MappingProxyType({})
"""SHA-256 by file of the release. Empty: this project has never seen one of them."""

_DOWNLOADS = "https://github.com/larq/compute-engine/releases/download"


@dataclass(frozen=True)
class BenchmarkBinary:
    """The program that measures.

    # Attributes
        path: Where it lies on this machine.
        sha256: Its checksum.
        is_checked: Whether that is a pinned one or the one that the user gave.
        elf: What its header tells.
    """

    path: Path
    sha256: str
    is_checked: bool
    elf: Elf


def where_to_get(system: str) -> str:
    """One sentence on which file is needed.

    # Arguments
        system: "android" or "linux".
    """
    asset = ASSETS[system]
    return (
        f"The file is {asset} of release {RELEASE} of larq/compute-engine: "
        f"{_DOWNLOADS}/{RELEASE}/{asset}"
    )


def check_binary(
    path: str | Path, target: Target, *, sha256: str | None = None
) -> BenchmarkBinary:
    """Makes sure that a file is the program that the device needs.

    # Arguments
        path: The file.
        target: Where it is to run.
        sha256: The checksum that it must have; `None` for the pinned one, if there is
            one.

    # Raises
        ValueError: if there is no such file, it is for another machine or system, or
            its checksum is another.
    """
    path = Path(path)
    where = where_to_get(target.kind)
    if not path.is_file():
        raise ValueError(
            "Expected the benchmark tool of Larq Compute Engine, found no file "
            f"{path}. {where}"
        )
    content = path.read_bytes()
    elf = _fitting(path, content, target, where)
    actual = hashlib.sha256(content).hexdigest()
    expected = sha256 or PINNED_SHA256.get(path.name)
    if expected is not None and actual != expected.strip().lower():
        raise ValueError(
            f"Expected {path} to have SHA-256 {expected}, got {actual}: another file, "
            f"or a damaged download. {where}"
        )
    return BenchmarkBinary(path, actual, expected is not None, elf)


def _fitting(path: Path, content: bytes, target: Target, where: str) -> Elf:
    try:
        elf = read_elf(content)
    except ValueError as error:
        raise ValueError(
            f"Expected a program for 64-bit ARM in {path}, got {error}. {where}"
        ) from error
    if elf.machine != "AArch64":
        raise ValueError(
            f"Expected a program for 64-bit ARM (AArch64) in {path}, got one for "
            f"{elf.machine}. {where}"
        )
    if elf.system not in ("", target.kind):
        names = {"android": "Android", "linux": "Linux with glibc"}
        raise ValueError(
            f"Expected a program for {names[target.kind]} in {path}, got one for "
            f"{names[elf.system]}. {where}"
        )
    return elf
