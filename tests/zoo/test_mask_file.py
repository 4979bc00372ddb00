import numpy as np
import pytest

from larq_irnet.callbacks import RestrictionSnapshot
from zoo.mask_file import MaskFile


def images():
    return np.random.default_rng(0).normal(size=(2, 4, 6, 3)).astype(np.float32)


def snapshot(epoch):
    generator = np.random.default_rng(epoch)
    attention = generator.random((2, 4, 6))
    return RestrictionSnapshot(epoch, attention, attention > 0.4)


@pytest.fixture
def file(tmp_path):
    return MaskFile(tmp_path / "masks.npz")


def test_nothing_at_first(file):
    assert file.read() is None


def test_epochs_are_added(file):
    for epoch in (0, 2, 7):
        file.append(images(), snapshot(epoch))
    masks = file.read()
    np.testing.assert_array_equal(masks.images, images())
    assert [one.epoch for one in masks.snapshots] == [0, 2, 7]
    for one in masks.snapshots:
        expected = snapshot(one.epoch)
        np.testing.assert_array_equal(one.kept, expected.kept)
        # kept in half precision: it is only to be drawn
        np.testing.assert_allclose(one.attention, expected.attention, rtol=1e-3)
    assert [path.name for path in file.path.parent.iterdir()] == ["masks.npz"]


def test_epochs_that_are_run_again_replace_what_was_there(file):
    for epoch in (0, 2, 7, 1):
        file.append(images(), snapshot(epoch))
    assert [one.epoch for one in file.read().snapshots] == [0, 1]


@pytest.mark.parametrize("content", [b"", b"garbage", b"PK\x03\x04garbage"])
def test_something_else(file, content):
    file.path.write_bytes(content)
    with pytest.raises(ValueError, match=r"Expected masks of a run in .*masks\.npz"):
        file.read()


def test_a_file_that_is_cut_off(file):
    file.append(images(), snapshot(0))
    whole = file.path.read_bytes()
    for length in (10, len(whole) // 2, len(whole) - 5):
        file.path.write_bytes(whole[:length])
        with pytest.raises(ValueError, match="Expected masks of a run"):
            file.read()


def test_an_archive_of_other_arrays(file):
    np.savez(file.path, other=np.ones(3))
    with pytest.raises(ValueError, match="Expected masks of a run"):
        file.read()
