import pytest

from larq_irnet.atomic_path import atomic_path


def test_file_appears_at_the_end(tmp_path):
    with atomic_path(tmp_path / "model.keras") as partial:
        partial.write_text("new")
        assert partial.parent == tmp_path
        assert partial.suffix == ".keras"
        assert not (tmp_path / "model.keras").exists()
    assert (tmp_path / "model.keras").read_text() == "new"
    assert [path.name for path in tmp_path.iterdir()] == ["model.keras"]


def test_all_suffixes_are_kept(tmp_path):
    with atomic_path(str(tmp_path / "model.weights.h5")) as partial:
        partial.touch()
        assert partial.name.endswith(".weights.h5")


def test_old_file_stays_until_the_new_one_is_complete(tmp_path):
    path = tmp_path / "report.json"
    path.write_text("old")
    with atomic_path(path) as partial:
        partial.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_failure_leaves_the_old_file_and_nothing_else(tmp_path, error):
    path = tmp_path / "report.json"
    path.write_text("old")
    with pytest.raises(error), atomic_path(path) as partial:
        partial.write_text("half of the n")
        raise error
    assert path.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["report.json"]


def test_failure_before_anything_is_written(tmp_path):
    with pytest.raises(ValueError, match="early"), atomic_path(tmp_path / "a"):
        raise ValueError("early")
    assert list(tmp_path.iterdir()) == []
