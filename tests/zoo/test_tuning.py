import json
from typing import Any

import pytest

from zoo.tuning import candidates_of, grid_of, tunings_in, write_tunings
from zoo.workdir_error import WorkdirError

RECIPES = ["float_resnet20_digits", "irnet_resnet20_digits"]
GRID: dict[str, list[Any]] = {
    "learning_rate": [0.01, 0.03],
    "network_options.bn_gamma": ["ones", "uniform"],
}


def tunings(folder, names=RECIPES, grid=GRID, seeds=(100, 101), **options):
    return candidates_of(names, grid, seeds=seeds, workdir=folder, **options)


def finish(run, accuracy, loss=1.0):
    """Leaves what is read of a finished run; there is no test accuracy to read."""
    run.folder.mkdir(parents=True)
    validation = {"accuracy": accuracy, "loss": loss}
    (run.folder / "results.json").write_text(json.dumps({"validation": validation}))


def finish_all(tuning, accuracies, losses=(1.0,) * 4):
    for candidate, pair, loss in zip(tuning.candidates, accuracies, losses):
        for run, accuracy in zip(candidate.runs.values(), pair, strict=True):
            finish(run, accuracy, loss)


def test_every_recipe_gets_every_combination_and_seed(tmp_path):
    floats, irnets = tunings(tmp_path)
    assert [one.recipe for one in (floats, irnets)] == RECIPES
    for tuning in floats, irnets:
        tried = [
            (config.learning_rate, config.network_options["bn_gamma"], config.seed)
            for config in (run.config for run in tuning.runs)
        ]
        assert tried == [
            (rate, gamma, seed)
            for rate in GRID["learning_rate"]
            for gamma in GRID["network_options.bn_gamma"]
            for seed in (100, 101)
        ]
        assert {run.config.epochs for run in tuning.runs} == {40}
    folders = {run.folder for run in (*floats.runs, *irnets.runs)}
    assert len(folders) == 16
    run = irnets.runs[-1]
    assert run.folder == (
        tmp_path / RECIPES[1] / "learning_rate=0.03,network_options.bn_gamma=uniform"
    ).joinpath("seed101")
    assert run.name == (
        "irnet_resnet20_digits, learning_rate=0.03, network_options.bn_gamma=uniform, "
        "seed 101"
    )


def test_no_run_evaluates_the_test_split(tmp_path):
    runs = [run for one in tunings(tmp_path, smoke=True) for run in one.runs]
    assert [run for run in runs if run.config.evaluate_test] == []
    assert {run.config.epochs for run in runs} == {2}


def test_the_best_mean_wins(tmp_path):
    (tuning,) = tunings(tmp_path, RECIPES[:1])
    assert tuning.best is None
    finish_all(tuning, [(0.9, 0.5), (0.8, 0.7), (0.6, 0.6), (0.9, 0.7)])
    assert tuning.best is tuning.candidates[3]
    assert tuning.best.validation() == [0.9, 0.7]
    assert tuning.best.deviation == pytest.approx(0.1 * 2**0.5)


def test_the_lower_loss_wins_a_tie(tmp_path):
    (tuning,) = tunings(tmp_path, RECIPES[:1])
    finish_all(tuning, [(0.9, 0.9)] * 4, losses=[0.4, 0.3, 0.5, 0.3])
    assert tuning.best is tuning.candidates[1]  # the first of two that are equal


def test_candidates_with_a_run_that_failed_are_not_chosen(tmp_path):
    (tuning,) = tunings(tmp_path, RECIPES[:1])
    finish_all(tuning, [(0.5, 0.5), (0.6, 0.6)])
    finish(tuning.candidates[2].runs[100], 1.0)
    assert tuning.best is tuning.candidates[1]
    assert tuning.candidates[2].is_complete is False


def test_more_values_keep_the_runs_that_are_there(tmp_path):
    few = tunings(tmp_path, grid={"learning_rate": [0.01]}, seeds=[1])
    many = tunings(tmp_path, grid={"learning_rate": [0.003, 0.01]}, seeds=[1, 2])
    known = {run.folder: run.config for one in many for run in one.runs}
    assert len(known) == 8
    for run in (run for one in few for run in one.runs):
        assert known[run.folder] == run.config


def test_without_a_grid_the_recipe_as_it_is(tmp_path):
    (tuning,) = tunings(tmp_path, RECIPES[:1], grid={}, seeds=[1])
    (candidate,) = tuning.candidates
    assert candidate.label == "as in the recipe"
    assert candidate.runs[1].folder == tmp_path / RECIPES[0] / "recipe" / "seed1"
    finish(candidate.runs[1], 0.9)
    assert candidate.deviation is None


def test_names_of_folders_stay_within_them(tmp_path):
    grid = {"initial_weights": ["../elsewhere/net.keras"]}
    (tuning,) = tunings(tmp_path, RECIPES[:1], grid=grid, seeds=[1])
    (run,) = tuning.runs
    assert run.folder.parent.parent == tmp_path / RECIPES[0]
    assert run.config.initial_weights == "../elsewhere/net.keras"


def test_json(tmp_path):
    found = tunings(tmp_path, grid={"learning_rate": [0.01, 0.03]}, seeds=[100])
    finish_all(found[0], [(0.7,), (0.9,)], losses=[0.2, 0.1])
    write_tunings(tmp_path / "tuning.json", found, seeds=[100])
    content = json.loads((tmp_path / "tuning.json").read_text())
    assert content["seeds"] == [100]
    first, second = content["recipes"]
    assert first["best"] == {"learning_rate": 0.03}
    assert first["candidates"][0] == {
        "settings": {"learning_rate": 0.01},
        "validation_accuracy": [0.7],
        "validation_loss": [0.2],
    }
    assert second["best"] is None
    assert second["candidates"][1]["validation_accuracy"] is None


def test_lists_in_a_grid():
    assert grid_of(["decay_epochs=[5,10],[8]", "optimizer=adam,sgd"]) == {
        "decay_epochs": [[5, 10], [8]],
        "optimizer": ["adam", "sgd"],
    }


def test_other_tunings_in_the_same_folder_stay(tmp_path):
    path = tmp_path / "tuning.json"

    def tune(name, rates, seeds):
        grid = {"learning_rate": rates}
        found = tunings(tmp_path, [name], grid=grid, seeds=seeds)
        write_tunings(path, found, grid=grid, settings={}, seeds=seeds)
        return json.loads(path.read_text())

    first = tune(RECIPES[0], [0.01], [100])
    assert "earlier" not in first
    second = tune(RECIPES[1], [0.01], [100])
    assert second["earlier"] == [first]
    third = tune(RECIPES[1], [0.01], [100, 101])  # the same with more seeds
    assert third["seeds"] == [100, 101]
    assert third["earlier"] == [first]
    fourth = tune(RECIPES[1], [0.03], [100])
    assert [one["seeds"] for one in fourth["earlier"]] == [[100, 101], [100]]


@pytest.mark.parametrize(
    "content",
    [
        *("", "[]", "{}", '{"recipes": 1}', '{"recipes": [{}]}'),
        *('{"recipes": [], "earlier": 5}', '{"recipes": [], "earlier": [5]}'),
    ],
)
def test_another_file_in_place_of_an_outcome(content, tmp_path):
    path = tmp_path / "tuning.json"
    path.write_text(content)
    for write in (tunings_in, lambda path: write_tunings(path, [])):
        with pytest.raises(WorkdirError, match="Remove the file; the runs stay"):
            write(path)
    assert path.read_text() == content


def test_a_file_that_cannot_be_written(tmp_path):
    with pytest.raises(WorkdirError):
        write_tunings(tmp_path / "missing" / "tuning.json", [])


@pytest.mark.parametrize(
    "options, message",
    [
        ({"names": []}, r"recipes and seeds, each once, got \[\]"),
        ({"names": RECIPES[:1] * 2}, r"recipes and seeds, each once, got .*digits"),
        ({"seeds": []}, r"seeds, each once, got .* and \[\]"),
        ({"seeds": [1, 1]}, r"seeds, each once, got .* and \[1, 1\]"),
        ({"names": ["nope"]}, "Expected a recipe out of .*got 'nope'"),
        ({"grid": {"seed": [1, 2]}}, "other than .'seed'.: seeds are given apart"),
        ({"settings": {"evaluate_test": True}}, "other than .'evaluate_test'."),
        (
            {"settings": {"learning_rate": 0.1}},
            "'learning_rate'. either in the grid or with one value for all",
        ),
        ({"grid": {"nope": [1]}}, "Expected a setting out of .*got 'nope'"),
        (
            {"names": ["irnet_resnet20_digits", "float_resnet20_digits_sgd"]},
            "one budget: .*'digits', 40, 37.*'digits', 20, 18",
        ),
    ],
)
def test_what_cannot_be_tuned(options, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        tunings(tmp_path, **options)


@pytest.mark.parametrize(
    "texts",
    [["learning_rate"], ["=1"], ["a=1,"], ["a=1,1"], ["a=0.01,1e-2"], ["a=1", "a=2"]],
)
def test_grids_that_are_none(texts):
    with pytest.raises(ValueError, match="each setting once, with values that differ"):
        grid_of(texts)
