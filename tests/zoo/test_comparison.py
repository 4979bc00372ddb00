import dataclasses
import math

import pytest

from tests.zoo.small_network import small_network
from zoo import recipes, training
from zoo.comparison import Comparison, compare
from zoo.train_config import TrainConfig
from zoo.workdir import Workdir, WorkdirError

NAMES = ["irnet_resnet20_digits", "ste_sign_resnet20_digits"]


def fails(self):
    raise AssertionError("This run is complete and must not be trained again.")


@pytest.fixture
def calls(monkeypatch):
    """Runs are not trained; their settings and folders are noted."""
    calls = []

    def run(config, workdir, *, progress, **options):
        calls.append((config, workdir))
        return {
            "validation": {"accuracy": 0.5 + config.seed / 10},
            "test": {"accuracy": 0.25 + config.seed / 10},
        }

    monkeypatch.setattr(training, "run", run)
    return calls


def test_mean_and_deviation():
    one = Comparison(recipe="some", validation=[0.5], test=[0.2, 0.4, 0.9])
    assert one.test_mean == pytest.approx(0.5)
    assert one.test_deviation == pytest.approx(math.sqrt((0.09 + 0.01 + 0.16) / 2))


def test_a_single_seed_has_no_deviation():
    one = Comparison(recipe="some", validation=[0.5], test=[0.25])
    assert one.test_mean == 0.25
    assert one.test_deviation is None


def test_what_is_run(calls, tmp_path):
    comparisons = list(compare(NAMES, seeds=2, workdir=str(tmp_path)))
    assert calls == [
        (
            dataclasses.replace(recipes.get(name).config, seed=seed),
            str(tmp_path / name / f"seed{seed}"),
        )
        for name in NAMES
        for seed in range(2)
    ]
    assert comparisons == [
        Comparison(recipe=name, validation=[0.5, 0.6], test=[0.25, 0.35])
        for name in NAMES
    ]


def test_smoke_runs_are_shrunk(calls, tmp_path):
    list(compare(NAMES, seeds=1, workdir=str(tmp_path), smoke=True))
    assert [config for config, _ in calls] == [
        recipes.get(name).config.shrunk() for name in NAMES
    ]


def test_each_comparison_comes_when_its_runs_are_complete(calls, tmp_path):
    comparisons = compare(NAMES, seeds=3, workdir=str(tmp_path))
    assert next(comparisons).recipe == NAMES[0]
    assert len(calls) == 3


@pytest.fixture
def trained_seeds(monkeypatch):
    """The seeds of the runs that were trained, with the small network."""
    seeds = []

    def build_model(config):
        seeds.append(config.seed)
        return small_network(config)

    monkeypatch.setattr(TrainConfig, "build_model", build_model)
    return seeds


def smoke(path, seeds):
    (comparison,) = compare(NAMES[:1], seeds=seeds, workdir=str(path), smoke=True)
    return comparison


def test_runs_that_are_there_are_kept(trained_seeds, tmp_path):
    first, second = smoke(tmp_path, 1), smoke(tmp_path, 2)
    assert smoke(tmp_path, 2) == second
    assert trained_seeds == [0, 1]
    folders = [Workdir(tmp_path / NAMES[0] / f"seed{seed}") for seed in range(2)]
    for split, found in ("test", second.test), ("validation", second.validation):
        assert found == [folder.results()[split]["accuracy"] for folder in folders]
    assert first.test == second.test[:1]


def test_a_smoke_run_is_not_taken_for_a_whole_one(tmp_path):
    folder = Workdir(tmp_path / NAMES[0] / "seed0")
    folder.create(recipes.get(NAMES[0]).config.shrunk())
    with pytest.raises(WorkdirError, match="epochs=2 there, 40 now"):
        list(compare(NAMES[:1], seeds=1, workdir=str(tmp_path)))


@pytest.mark.parametrize(
    "names, seeds, message",
    [
        (NAMES, 0, "Expected at least one seed, got 0"),
        (NAMES, -1, "Expected at least one seed, got -1"),
        (["nope"], 1, r"Expected a recipe out of \[.*\], got 'nope'"),
        ([NAMES[0], "nope"], 1, r"Expected a recipe out of \[.*\], got 'nope'"),
    ],
)
def test_errors_come_before_any_training(names, seeds, message, tmp_path, monkeypatch):
    monkeypatch.setattr(TrainConfig, "build_model", fails)
    with pytest.raises(ValueError, match=message):
        list(compare(names, seeds=seeds, workdir=str(tmp_path / "runs")))
    assert not (tmp_path / "runs").exists()
