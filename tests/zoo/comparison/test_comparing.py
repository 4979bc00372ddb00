import numpy as np
import pytest

from tests.zoo.comparison.conftest import NAMES, SMOKE, measured_by_hand
from zoo.comparison import comparing
from zoo.comparison.comparing import compare
from zoo.comparison.plan import planned_runs
from zoo.workdir import Workdir
from zoo.workdir_error import WorkdirError

TAUGHT = "dirnet_resnet20_digits_rbd"


@pytest.fixture
def pool(monkeypatch):
    """Notes what is trained, and with which options; all of it fails."""
    calls = []

    def train_all(runs, **options):
        calls.append(([run.name for run in runs], options))
        return {run.name: "why not" for run in runs}

    monkeypatch.setattr(comparing, "train_all", train_all)
    return calls


def test_what_came_out(small_workdir, train_nothing):
    comparison = compare(NAMES, workdir=small_workdir, **SMOKE)
    assert [row.recipe for row in comparison.rows] == NAMES
    assert comparison.failures == {}
    for row in comparison.rows:
        folders = [Workdir(small_workdir / row.recipe / f"seed{s}") for s in range(2)]
        tests = [folder.results()["test"]["accuracy"] for folder in folders]
        assert row.test == tuple(tests)
        last = [folder.history()[-1]["val_accuracy"] for folder in folders]
        curve = comparison.validation[row.recipe]
        assert curve.mean[-1] == pytest.approx(np.mean(last))
    assert sorted(comparison.diagnostics) == ["flip_ratio", "weight_entropy"]
    assert all(list(of) == NAMES[1:] for of in comparison.diagnostics.values())


def test_fewer_recipes_of_the_same_folder(small_workdir, train_nothing):
    (row,) = compare(NAMES[1:], workdir=small_workdir, **SMOKE).rows
    assert row.recipe == NAMES[1]
    assert row.gap_to_float_points is None
    assert row.tflite_bytes is not None


def test_a_failed_seed_is_left_out(small_workdir, monkeypatch):
    name = f"{NAMES[1]}, seed 0"
    monkeypatch.setattr(comparing, "train_all", lambda runs, **options: {name: "why"})
    # the folder is that of other tests as well: nothing is measured again in it
    found = measured_by_hand(NAMES)
    monkeypatch.setattr(comparing, "measured", lambda *args, **options: found)
    comparison = compare(NAMES, workdir=small_workdir, **SMOKE)
    assert [row.seeds for row in comparison.rows] == [2, 1]
    assert comparison.failures == {name: "why"}


def test_all_have_failed(pool, tmp_path):
    comparison = compare(NAMES, seeds=1, workdir=tmp_path)
    assert (comparison.rows, comparison.measured) == ((), None)
    assert len(comparison.failures) == 2


def test_seed_by_seed_and_teachers_first(pool, tmp_path):
    names = [NAMES[1], TAUGHT, NAMES[0]]
    compare(names, seeds=2, workdir=tmp_path, parallel=3, threads=2, data_dir="data")
    ((order, options),) = pool
    seeds = [[f"{name}, seed {seed}" for name in names] for seed in range(2)]
    assert order == [seeds[0][2], *seeds[0][:2], *seeds[1]]
    assert options == {
        "parallel": 3,
        "threads": 2,
        "data_dir": "data",
        "progress": None,
    }


def test_a_recipe_that_is_named_twice(pool, tmp_path):
    compare([NAMES[0], NAMES[0]], seeds=1, workdir=tmp_path)
    assert pool[0][0] == [f"{NAMES[0]}, seed 0"]


def test_a_smoke_run_is_not_taken_for_a_whole_one(small_workdir):
    with pytest.raises(WorkdirError, match="epochs=2 there, 40 now"):
        compare(NAMES, **{**SMOKE, "smoke": False}, workdir=small_workdir)


def test_folders_with_and_without_diagnostics(small_workdir):
    with pytest.raises(WorkdirError, match=r"diagnostics=\{'images': 64, .* now"):
        compare(NAMES, seeds=2, threads=0, workdir=small_workdir, smoke=True)


def test_errors_come_before_any_training(pool, tmp_path):
    for options in ({"seeds": 0}, {"seeds": 1, "settings": {"colour": 1}}):
        with pytest.raises(ValueError):
            compare(NAMES, workdir=tmp_path / "runs", **options)
    assert pool == []
    assert not (tmp_path / "runs").exists()


def test_the_first_finished_run_is_measured(small_workdir, monkeypatch, tmp_path):
    measured = []

    def measure(runs, path, **options):
        measured.append([run.name for run in runs.values()])
        return measured_by_hand(NAMES)

    failed = planned_runs(NAMES, seeds=2, workdir=small_workdir)[NAMES[0]][0].name
    monkeypatch.setattr(comparing, "train_all", lambda runs, **options: {failed: ""})
    monkeypatch.setattr(comparing, "measured", measure)
    compare(NAMES, workdir=small_workdir, **SMOKE)
    assert measured == [[f"{NAMES[0]}, seed 1", f"{NAMES[1]}, seed 0"]]
