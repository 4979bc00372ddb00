"""Damage to files, as from bad disks, cut-off downloads, and people who try."""

import io
import random
import struct
import zipfile
from collections.abc import Callable

Mutation = Callable[[random.Random, bytearray], bytearray]


def flip_bits(generator: random.Random, content: bytearray) -> bytearray:
    for _ in range(generator.randint(1, 4)):
        content[generator.randrange(len(content))] ^= 1 << generator.randrange(8)
    return content


def cut_off(generator: random.Random, content: bytearray) -> bytearray:
    return content[: generator.randrange(len(content))]


def overwrite_number(generator: random.Random, content: bytearray) -> bytearray:
    """A length or an offset, as large as it can be, or just wrong."""
    code, size = generator.choice([("<I", 4), ("<Q", 8), ("<H", 2)])
    number = generator.choice([0, 1, 2 ** (8 * size - 1), 2 ** (8 * size) - 1, 1000])
    place = generator.randrange((len(content) - size) // 2) * 2
    struct.pack_into(code, content, place, number)
    return content


def splice(generator: random.Random, content: bytearray) -> bytearray:
    """Something from elsewhere in the file."""
    length = generator.randint(1, 200)
    source, target = (generator.randrange(len(content)) for _ in range(2))
    content[target : target + length] = content[source : source + length]
    return content


def swap(generator: random.Random, content: bytearray) -> bytearray:
    """Two sections change places."""
    length = generator.randint(4, max(4, len(content) // 8))
    first, second = (generator.randrange(len(content) - length) for _ in range(2))
    one, other = content[first : first + length], content[second : second + length]
    content[first : first + length] = other
    content[second : second + length] = one
    return content


def leave_out(generator: random.Random, content: bytearray) -> bytearray:
    start = generator.randrange(len(content))
    del content[start : start + generator.randint(1, 64)]
    return content


def put_in(generator: random.Random, content: bytearray) -> bytearray:
    place = generator.randrange(len(content))
    content[place:place] = generator.randbytes(generator.randint(1, 64))
    return content


MUTATIONS: tuple[Mutation, ...] = (
    flip_bits,
    cut_off,
    overwrite_number,
    splice,
    swap,
    leave_out,
    put_in,
)


def mutated(content: bytes, seed: int) -> bytes:
    """One of many damaged versions of a file."""
    generator = random.Random(seed)
    mutation = MUTATIONS[seed % len(MUTATIONS)]
    if content.startswith(b"PK") and generator.random() < 0.7:
        return _mutated_member(content, generator, mutation)
    return bytes(mutation(generator, bytearray(content)))


def _mutated_member(
    content: bytes, generator: random.Random, mutation: Mutation
) -> bytes:
    """Damage within an archive, whose checksum is right again."""
    result = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as source,
        zipfile.ZipFile(result, "w") as target,
    ):
        chosen = generator.choice(source.namelist())
        for name in source.namelist():
            member = source.read(name)
            if name == chosen:
                member = bytes(mutation(generator, bytearray(member)))
            target.writestr(name, member)
    return result.getvalue()
