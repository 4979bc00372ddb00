import dataclasses

import pytest

from zoo import recipes
from zoo.comparison.plan import planned_runs, runs_of

FLOAT, IRNET = "float_resnet20_digits", "irnet_resnet20_digits"
TAUGHT = "dirnet_resnet20_digits_rbd"


def config_of(name, **changes):
    return dataclasses.replace(recipes.get(name).config, **changes)


def test_what_is_run(tmp_path):
    planned = planned_runs([IRNET, FLOAT], seeds=2, workdir=tmp_path)
    assert list(planned) == [IRNET, FLOAT]
    for name, runs in planned.items():
        assert [run.config for run in runs] == [
            config_of(name, seed=seed) for seed in range(2)
        ]
        folders = [tmp_path / name / f"seed{seed}" for seed in range(2)]
        assert [run.folder for run in runs] == folders
        assert [run.name for run in runs] == [f"{name}, seed 0", f"{name}, seed 1"]


def test_smoke_runs_are_shrunk(tmp_path):
    (run,) = runs_of(IRNET, [IRNET], seeds=1, workdir=tmp_path, smoke=True)
    assert run.config == recipes.get(IRNET).config.shrunk()


def test_binary_networks_are_looked_at(tmp_path):
    options = {"seeds": 1, "workdir": tmp_path, "diagnostics": True}
    planned = planned_runs([FLOAT, IRNET], **options)
    assert planned[FLOAT][0].config == config_of(FLOAT)
    looks = {"images": 64, "batch_epochs": 7, "cosine_epochs": 13}
    assert planned[IRNET][0].config == config_of(IRNET, diagnostics=looks)


@pytest.mark.parametrize("epochs", [1, 2, 6, 40, 400])
def test_the_slow_figures_are_seen_early_and_late(epochs, tmp_path):
    (run,) = runs_of(
        IRNET,
        [IRNET],
        seeds=1,
        workdir=tmp_path,
        settings={"epochs": epochs},
        diagnostics=True,
    )
    for every in ("batch_epochs", "cosine_epochs"):
        looks = range(0, epochs, run.config.diagnostics[every])
        assert epochs - looks[-1] <= 1 + epochs // 4
        assert len(looks) <= 7


def test_settings_of_diagnostics_are_for_binary_networks(tmp_path):
    settings = {"diagnostics": {"images": 8}, "learning_rate": 0.5}
    options = {"seeds": 1, "workdir": tmp_path, "diagnostics": True}
    planned = planned_runs([FLOAT, IRNET], settings=settings, **options)
    assert planned[FLOAT][0].config == config_of(FLOAT, learning_rate=0.5)
    assert planned[IRNET][0].config == config_of(
        IRNET, learning_rate=0.5, diagnostics={"images": 8}
    )


def test_a_teacher_among_the_recipes_is_trained_first(tmp_path):
    planned = planned_runs([TAUGHT, FLOAT, IRNET], seeds=2, workdir=tmp_path)
    teacher = tmp_path / FLOAT / "seed0"
    for run in planned[TAUGHT]:
        assert run.needs == (teacher,)
        assert run.config.teacher_weights == str(teacher)
    assert [run.needs for run in (*planned[FLOAT], *planned[IRNET])] == [()] * 4


def test_a_teacher_has_one_path_however_the_folder_is_spelled(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    configs = [
        runs_of(TAUGHT, [TAUGHT, FLOAT], seeds=1, workdir=folder)[0].config
        for folder in ("runs", "./runs/../runs", tmp_path / "runs")
    ]
    assert configs[0] == configs[1] == configs[2]


def test_a_teacher_elsewhere(tmp_path):
    (run,) = runs_of(TAUGHT, [TAUGHT, IRNET], seeds=1, workdir=tmp_path)
    assert (run.needs, run.config) == ((), config_of(TAUGHT))


def test_a_student_without_its_teacher_needs_none(tmp_path):
    settings = {"teacher": {}, "teacher_weights": "", "distillation": {}}
    options = {"seeds": 1, "workdir": tmp_path, "settings": settings}
    (run,) = runs_of(TAUGHT, [TAUGHT, FLOAT], **options)
    assert (run.needs, run.config) == ((), config_of(TAUGHT, **settings))


def test_the_teacher_is_the_network_that_is_trained(tmp_path):
    settings = {"network_options.block": "normal"}  # that of the teacher is another
    options = {"seeds": 1, "workdir": tmp_path, "settings": settings}
    (run,) = runs_of(TAUGHT, [TAUGHT, FLOAT], **options)
    assert run.needs == ()
    assert run.config.teacher_weights == recipes.get(TAUGHT).config.teacher_weights


def test_a_teacher_has_none_itself(tmp_path):
    # both are full precision of one network, but one of them is taught
    settings = {"method": "float", "estimator": {}}
    options = {"seeds": 1, "workdir": tmp_path, "settings": settings}
    (run,) = runs_of(TAUGHT, [TAUGHT, FLOAT], **options)
    assert run.needs == (tmp_path / FLOAT / "seed0",)


def test_a_shrunk_run_needs_no_trained_teacher(tmp_path):
    (run,) = runs_of(TAUGHT, [TAUGHT, FLOAT], seeds=1, workdir=tmp_path, smoke=True)
    assert (run.needs, run.config.teacher_weights) == ((), "untrained")


@pytest.mark.parametrize(
    "names, seeds, message",
    [
        ([IRNET], 0, "Expected at least one seed, got 0"),
        ([], 1, "Expected at least one recipe"),
        ([IRNET, "nope"], 1, "Expected a recipe out of .*, got 'nope'"),
    ],
)
def test_bad_plans(names, seeds, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        planned_runs(names, seeds=seeds, workdir=tmp_path)


def test_runs_without_test_accuracy_are_refused(tmp_path):
    settings = {"evaluate_test": False}
    with pytest.raises(ValueError, match="got `evaluate_test` off"):
        runs_of(IRNET, [IRNET], seeds=1, workdir=tmp_path, settings=settings)


def test_the_seeds_are_no_setting(tmp_path):
    with pytest.raises(ValueError, match="other than 'seed'.* are 0, 1, ..., 2"):
        runs_of(IRNET, [IRNET], seeds=3, workdir=tmp_path, settings={"seed": 7})
