"""Offsets that lead out of a file, or through it for hours, are found in no time."""

import struct
import time

import pytest
from tensorflow.lite.python import schema_py_generated as schema

from tests.tflite_export.tiny_flatbuffer import as_bytes, tiny_model
from tflite_export import Flatbuffer, FlatbufferError
from tflite_export.flatbuffer_structure import check_structure

CONTENT = as_bytes(tiny_model())


def test_a_right_one_passes():
    check_structure(CONTENT)


@pytest.mark.parametrize("size", range(0, len(CONTENT), 5))
def test_every_truncation_is_refused(size):
    with pytest.raises(FlatbufferError, match="Expected a .tflite file"):
        Flatbuffer(CONTENT[:size])


@pytest.mark.parametrize("number", [0, 1, 2**16, 2**31 - 1, 2**31, 2**32 - 1])
def test_every_number_may_be_wrong(number):
    for place in range(0, len(CONTENT) - 3, 4):
        damaged = bytearray(CONTENT)
        struct.pack_into("<I", damaged, place, number)
        try:
            Flatbuffer(bytes(damaged))
        except FlatbufferError as error:
            assert "Expected a .tflite file" in str(error)


def test_a_list_longer_than_the_file():
    graph = schema.Model.GetRootAsModel(CONTENT, 0).Subgraphs(0)._tab
    tensors = graph.Vector(graph.Offset(4)) - 4  # its first field
    damaged = bytearray(CONTENT)
    struct.pack_into("<I", damaged, tensors, 2**32 - 1)
    with pytest.raises(FlatbufferError, match=r"\(graph\) has a list of 4294967295"):
        Flatbuffer(bytes(damaged))


def test_one_table_at_many_places():
    """A list of 100,000 times one graph, with a list of 100,000 times one tensor."""
    copies = 100_000
    content = bytearray(b"\0\0\0\0TFL3")
    places = range(1)  # of the offsets that lead to the next table
    for slots in ((0, 0, 4), (4,), ()):  # graphs of a model, tensors of a graph
        head = struct.pack(f"<{2 + len(slots)}H", 4 + 2 * len(slots), 8, *slots)
        content += head
        for place in places:
            struct.pack_into("<I", content, place, len(content) - place)
        content += struct.pack("<iII", len(head), 4, copies)
        places = range(len(content), len(content) + 4 * copies, 4)
        content += bytes(4 * copies)
    start = time.monotonic()
    with pytest.raises(FlatbufferError, match="too many places"):
        Flatbuffer(bytes(content))
    assert time.monotonic() - start < 20.0  # 10**10 tensors would take hours


def test_constants_in_other_files():
    if not hasattr(schema, "ExternalBufferT"):
        pytest.skip("this TensorFlow has no constants in other files")
    model = tiny_model()
    model.externalBuffers = [schema.ExternalBufferT()]
    with pytest.raises(FlatbufferError, match="in other files"):
        Flatbuffer(as_bytes(model))
