"""Makes sure that bytes hold the tables of a .tflite before anything follows them.

A flatbuffer is a web of offsets. Damaged ones lead out of the file, to lists of four
thousand million entries, or to one list from a thousand places, which takes hours to
read. Here each offset, length and table of TensorFlow Lite's schema is looked at, with
as much work as there are bytes.

The options of operators are known as tables only: they hold numbers and lists of
numbers, which Python reads within the bounds of the file.
"""

import struct
from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["FlatbufferError", "check_structure"]

_IDENTIFIER = b"TFL3"
_STRING = [1]
_ANY_TABLE = "options"
_IN_OTHER_FILES = "a reference to other files"

# For each table its fields by number: the bytes of a number, [bytes of each] of a list
# of numbers, the name of a table, [name] of a list of tables, None if it is not read.
_SCHEMA: Mapping[str, Sequence[Any]] = {
    "model": (
        4,
        ["operator code"],
        ["graph"],
        _STRING,
        ["buffer"],
        [4],
        ["metadata"],
        ["signature"],
        _IN_OTHER_FILES,
        _IN_OTHER_FILES,
    ),
    "operator code": (1, _STRING, 4, 4),
    "graph": (["tensor"], [4], [4], ["operator"], _STRING, 4),
    "tensor": (
        [4],
        1,
        4,
        _STRING,
        "quantization",
        1,
        "sparsity",
        [4],
        1,
        ["variant"],
    ),
    "quantization": ([4], [4], [4], [8], 1, _ANY_TABLE, 4),
    "sparsity": ([4], [4], ["sparse dimension"]),
    "sparse dimension": (1, 4, 1, _ANY_TABLE, 1, _ANY_TABLE),
    "variant": ([4], 1, 1),
    "operator": (4, [4], [4], 1, _ANY_TABLE, [1], 1, [1], [4], 8, 8, 1, _ANY_TABLE, 4),
    "buffer": ([1], 8, 8),
    "metadata": (_STRING, 4),
    "signature": (["named tensor"], ["named tensor"], _STRING, None, 4),
    "named tensor": (_STRING, 4),
    _ANY_TABLE: (),
}

# A converter writes each byte once and shares few; this leaves room for those.
_VISITS_PER_BYTE = 4
_FREE_VISITS = 2**12


class FlatbufferError(ValueError):
    """Bytes that are not a TensorFlow Lite model."""


def check_structure(content: bytes) -> None:
    """Follows every offset of a .tflite.

    # Arguments
        content: Any bytes.

    # Raises
        FlatbufferError: if they are no .tflite, or one leads out of them.
    """
    if content[4:8] != _IDENTIFIER:
        raise FlatbufferError(
            f"Expected a .tflite file ({_IDENTIFIER.decode()} at byte 4), got "
            f"{len(content)} bytes with {content[4:8]!r} there."
        )
    _Walk(content).run()


class _Walk:
    """One visit of all tables.

    # Arguments
        content: The bytes to walk through.
    """

    def __init__(self, content: bytes):
        self._content = content
        self._visits = _VISITS_PER_BYTE * len(content) + _FREE_VISITS
        self._to_visit: list[tuple[str, int]] = []

    def run(self) -> None:
        self._to_visit.append(("model", self._follow(0, "file")))
        while self._to_visit:
            self._table(*self._to_visit.pop())

    def _number(self, code: str, position: int, owner: str) -> int:
        size = struct.calcsize(code)
        if not 0 <= position <= len(self._content) - size:
            raise self._error(owner, f"leads to byte {position}")
        return int(struct.unpack_from(code, self._content, position)[0])

    def _follow(self, position: int, owner: str) -> int:
        return position + self._number("<I", position, owner)

    def _count(self, visits: int, owner: str) -> None:
        self._visits -= visits
        if self._visits < 0:
            raise self._error(owner, "is reached from too many places")

    def _error(self, owner: str, what: str) -> FlatbufferError:
        return FlatbufferError(
            f"Expected a .tflite file, got {len(self._content)} damaged bytes: a table "
            f"of it ({owner}) {what}."
        )

    def _table(self, name: str, position: int) -> None:
        slots = position - self._number("<i", position, name)
        slots_size = self._number("<H", slots, name)
        table_size = self._number("<H", slots + 2, name)
        if slots_size < 4 or slots_size % 2 or table_size < 4:
            raise self._error(name, "has no valid list of fields")
        self._number("<B", slots + slots_size - 1, name)  # both end within the file
        self._number("<B", position + table_size - 1, name)
        self._count(slots_size + table_size, name)
        offsets = struct.unpack_from(
            f"<{(slots_size - 4) // 2}H", self._content, slots + 4
        )
        for field, offset in zip(_SCHEMA[name], offsets):
            if offset and field is not None:
                size = field if isinstance(field, int) else 4
                if offset + size > table_size:
                    raise self._error(name, "has a field outside of it")
                self._field(name, field, position + offset)
        if max(offsets, default=0) >= table_size:
            raise self._error(name, "has a field outside of it")

    def _field(self, owner: str, field: Any, position: int) -> None:
        if field == _IN_OTHER_FILES:
            raise FlatbufferError(
                "Expected a .tflite file that holds its constants, got one that keeps "
                "them in other files."
            )
        if isinstance(field, str):
            self._to_visit.append((field, self._follow(position, owner)))
        elif isinstance(field, list):
            self._list(owner, field[0], self._follow(position, owner))

    def _list(self, owner: str, entry: int | str, position: int) -> None:
        length = self._number("<I", position, owner)
        size = length * (entry if isinstance(entry, int) else 4)
        if position + 4 + size > len(self._content):
            raise self._error(owner, f"has a list of {length} entries")
        self._count(4 + size, owner)
        if isinstance(entry, str):
            for place in range(position + 4, position + 4 + size, 4):
                self._to_visit.append((entry, self._follow(place, owner)))
