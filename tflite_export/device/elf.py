"""What the header of a Linux or Android program tells of where it runs."""

import re
import struct
from dataclasses import dataclass

__all__ = ["Elf", "read_elf"]

_MACHINES = {3: "32-bit x86", 40: "32-bit ARM", 62: "x86-64", 183: "AArch64"}
_PROGRAM_TYPES = (2, 3)  # ET_EXEC, ET_DYN
_INTERPRETER = 3  # PT_INTERP
_GLIBC = re.compile(rb"GLIBC_(\d+)\.(\d+)")


@dataclass(frozen=True)
class Elf:
    """A program.

    # Attributes
        machine: "AArch64", "x86-64", ...
        system: "android" or "linux"; empty for one that needs no loader.
        glibc: The version of glibc that it needs; `None` if it needs none.
    """

    machine: str
    system: str
    glibc: tuple[int, int] | None


def read_elf(content: bytes) -> Elf:
    """Reads the header of a program.

    # Arguments
        content: The bytes of the file.

    # Raises
        ValueError: if it is no ELF program, or cut off.
    """
    if content[:4] != b"\x7fELF" or len(content) < 64:
        raise ValueError(f"no program, its first bytes are {content[:8]!r}")
    order = "<" if content[5] == 1 else ">"
    kind, number = struct.unpack_from(f"{order}HH", content, 16)
    machine = _MACHINES.get(number, f"machine {number}")
    if kind not in _PROGRAM_TYPES:
        raise ValueError(f"an ELF file for {machine} that is no program")
    if content[4] != 2:  # headers of 32-bit programs are laid out otherwise
        return Elf(machine, "", None)
    versions = [(int(major), int(minor)) for major, minor in _GLIBC.findall(content)]
    return Elf(machine, _system(content, order), max(versions, default=None))


def _system(content: bytes, order: str) -> str:
    (start,) = struct.unpack_from(f"{order}Q", content, 32)
    size, count = struct.unpack_from(f"{order}HH", content, 54)
    for index in range(count):
        try:
            kind, _, offset, _, _, length = struct.unpack_from(
                f"{order}IIQQQQ", content, start + index * size
            )
        except struct.error as error:
            raise ValueError("a program that is cut off") from error
        if kind == _INTERPRETER:
            loader = content[offset : offset + length].rstrip(b"\0")
            return "android" if loader.startswith(b"/system/") else "linux"
    return ""
