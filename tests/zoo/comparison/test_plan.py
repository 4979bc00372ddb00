import dataclasses

import pytest

from zoo import recipes
from zoo.comparison import METHODS, recipes_of
from zoo.comparison.plan import planned_runs, runs_of

FLOAT, IRNET = "float_resnet20_digits", "irnet_resnet20_digits"
TAUGHT = "dirnet_resnet20_digits_rbd"


def config_of(name, **changes):
    return dataclasses.replace(recipes.get(name).config, **changes)


def test_every_method_has_a_recipe_by_default():
    assert recipes_of(METHODS, ["ResNet20"], "digits") == [
        f"{method}_resnet20_digits" for method in METHODS
    ]


@pytest.mark.parametrize("network", ["MobileNetV1", "mobilenet_v1", "mobilenetv1"])
def test_names_of_networks(network):
    assert recipes_of(["dirnet"], [network], "digits") == ["dirnet_mobilenet_v1_digits"]


def test_networks_come_one_after_the_other():
    assert recipes_of(["irnet", "recu"], ["ResNet18", "ResNet20"], "cifar10") == [
        "irnet_resnet18_cifar10",
        "recu_resnet18_cifar10",
        "irnet_resnet20_cifar10",
        "recu_resnet20_cifar10",
    ]


def test_a_method_whose_name_begins_like_another_one():
    names = recipes_of(["irnet_w1a32"], ["resnet20"], "cifar10")
    assert names == ["irnet_w1a32_resnet20_cifar10"]
    with pytest.raises(ValueError, match="got irnet with w1a32_resnet20"):
        recipes_of(["irnet"], ["w1a32_resnet20"], "cifar10")


def test_combinations_without_a_recipe():
    with pytest.raises(ValueError) as raised:
        recipes_of(["recu", "dirnet"], ["ResNet20", "MobileNetV1", "VGG"], "digits")
    message = str(raised.value)
    assert "got recu with MobileNetV1, recu with VGG, dirnet with VGG. " in message
    there = message.partition("There are ")[2].partition(";")[0].split(", ")
    assert there == sorted(
        name
        for name in recipes.names()
        if name.endswith("_digits") and recipes.get(name).config.dataset == "digits"
    )


@pytest.mark.parametrize(
    "methods, networks, dataset, message",
    [
        (["nope"], ["ResNet20"], "digits", "got 'nope'"),
        (["irnet"], ["ResNet20"], "nope", "got 'nope'"),
        ([], ["ResNet20"], "digits", "at least one method and one network"),
        (["irnet"], [], "digits", "at least one method and one network"),
    ],
)
def test_unknown_names(methods, networks, dataset, message):
    with pytest.raises(ValueError, match=message):
        recipes_of(methods, networks, dataset)


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


def test_a_teacher_elsewhere(tmp_path):
    (run,) = runs_of(TAUGHT, [TAUGHT, IRNET], seeds=1, workdir=tmp_path)
    assert (run.needs, run.config) == ((), config_of(TAUGHT))


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
