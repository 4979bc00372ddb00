import pkgutil
import re

import pytest

from zoo import recipes
from zoo.recipes import Recipe
from zoo.train_config import TrainConfig

NAMES = recipes.names()
# ResNet-20 with one input channel in place of three: 2 * 3 * 3 * 16 weights less
PARAMETERS = 269_850 - 288


def parameters(model):
    return sum(weight.shape.num_elements() for weight in model.trainable_weights)


def recipe_files():
    modules = {module.name for module in pkgutil.iter_modules(recipes.__path__)}
    return sorted(modules - {"recipe"})


def test_one_file_for_each_recipe_of_its_name():
    assert NAMES == recipe_files()


@pytest.mark.parametrize("name", NAMES)
def test_recipes_describe_themselves(name):
    recipe = recipes.get(name)
    assert isinstance(recipe, Recipe)
    assert recipe.name == name
    assert name.startswith(f"{recipe.config.method}_{recipe.config.network.lower()}_")
    assert recipe.config.dataset in name
    assert name.endswith("_sgd") == (recipe.config.optimizer == "sgd")


@pytest.mark.parametrize("name", NAMES)
def test_headers_hold_the_command(name):
    module = pkgutil.resolve_name(f"zoo.recipes.{name}")
    assert re.search(rf"python -m zoo.train --recipe={name} --workdir=", module.__doc__)


@pytest.mark.parametrize("name", NAMES)
def test_expected_accuracies_are_shares(name):
    accuracy = recipes.get(name).test_accuracy
    assert accuracy is None or 0.1 < accuracy <= 1.0  # 0.1 is chance


@pytest.mark.parametrize("name", NAMES)
def test_every_recipe_builds_its_network(name):
    model = recipes.get(name).build_model()
    assert model.input_shape == (None, 8, 8, 1)
    assert model.output_shape == (None, 10)
    assert parameters(model) == PARAMETERS


def test_overrides_replace_arguments_of_the_builder():
    recipe = recipes.get("irnet_resnet20_digits")
    model = recipe.build_model(alignment="torch", num_classes=3, pad_values=0.0)
    assert model.get_layer("rotate")
    assert model.output_shape == (None, 3)
    assert model.get_layer("stage1_block1_conv1").pad_values == 0.0
    assert recipe.config.pad_values == 1.0


def test_recipes_of_one_optimizer_differ_in_the_method_alone():
    for suffix in "", "_sgd":
        configs = [
            recipes.get(f"{method}_resnet20_digits{suffix}").config
            for method in ("float", "ste_sign", "irnet")
        ]
        settings = [{**vars(config), "method": None} for config in configs]
        assert settings[0] == settings[1] == settings[2]


def test_smoke_run(finished_run):
    # that of irnet_resnet20_digits_sgd is in the tests of zoo.train
    results = finished_run.results()
    assert results["trainable_parameters"] == PARAMETERS
    assert 0.0 <= results["test"]["accuracy"] <= 1.0


def test_shrunk_settings():
    config = recipes.get("irnet_resnet20_digits").config
    shrunk = config.shrunk()
    assert (shrunk.epochs, shrunk.steps, shrunk.batch_size) == (2, 3, 16)
    same = {"epochs": None, "steps_per_epoch": None, "batch_size": None}
    assert {**vars(shrunk), **same} == {**vars(config), **same}
    assert isinstance(shrunk, TrainConfig)


@pytest.mark.parametrize("name", ["nope", "", "IRNET_RESNET20_DIGITS"])
def test_unknown_recipe(name):
    message = rf"Expected a recipe out of \['float_resnet20_digits', .*\], got '{name}'"
    with pytest.raises(ValueError, match=message):
        recipes.get(name)
