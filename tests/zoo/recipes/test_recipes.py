import pkgutil
import re

import pytest

from zoo import datasets, recipes
from zoo.learning_rate import learning_rate_for
from zoo.recipes import Recipe
from zoo.train_config import TrainConfig

NAMES = recipes.names()
PUBLISHED = [name for name in NAMES if recipes.get(name).published_accuracy]
DIGITS = [name for name in NAMES if recipes.get(name).config.dataset == "digits"]
# ResNet-20 with one input channel in place of three: 2 * 3 * 3 * 16 weights less
DIGITS_PARAMETERS = 269_850 - 288
PARAMETERS = {
    "irnet_resnet18_cifar10": 11_174_986,
    "irnet_resnet18_imagenet": 11_690_536,
    "irnet_resnet20_cifar10": 269_850,
    "irnet_resnet20_normal_cifar10": 269_850,
    "irnet_resnet34_imagenet": 21_798_696,
    "irnet_vgg_small_cifar10": 4_660_106,
    "irnet_w1a32_resnet18_imagenet": 11_690_536,
    "irnet_w1a32_resnet20_cifar10": 269_850,
    "irnet_w1a32_resnet34_imagenet": 21_798_696,
    **dict.fromkeys(DIGITS, DIGITS_PARAMETERS),
}
# top-1 of the paper's Tables 3 and 4
PAPER = {
    "irnet_resnet18_cifar10": 0.915,
    "irnet_resnet18_imagenet": 0.581,
    "irnet_resnet20_cifar10": 0.865,
    "irnet_resnet20_normal_cifar10": 0.854,
    "irnet_resnet34_imagenet": 0.629,
    "irnet_vgg_small_cifar10": 0.904,
    "irnet_w1a32_resnet18_imagenet": 0.665,
    "irnet_w1a32_resnet20_cifar10": 0.908,
    "irnet_w1a32_resnet34_imagenet": 0.704,
}


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
    network = recipe.config.network.removeprefix("Cifar").replace("VGG", "vgg_").lower()
    assert name.startswith(f"{recipe.config.method}_{network}_")
    assert recipe.config.dataset.removesuffix("2012") in name


@pytest.mark.parametrize("name", DIGITS)
def test_digits_recipes_name_their_second_optimizer(name):
    assert name.endswith("_sgd") == (recipes.get(name).config.optimizer == "sgd")


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
    recipe = recipes.get(name)
    dataset = datasets.get(recipe.config.dataset)
    model = recipe.build_model()
    assert model.input_shape == (None, *dataset.input_shape)
    assert model.output_shape == (None, dataset.num_classes)
    assert parameters(model) == PARAMETERS[name]


def test_published_accuracies_are_those_of_the_paper():
    assert {name: recipes.get(name).published_accuracy for name in PUBLISHED} == PAPER
    for name in PUBLISHED:
        module = pkgutil.resolve_name(f"zoo.recipes.{name}")
        (reported,) = re.findall(r"The paper reports (\d\d\.\d)", module.__doc__)
        assert float(reported) / 100 == pytest.approx(PAPER[name])


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_recipes_are_the_authors_runs(name):
    config = recipes.get(name).config
    assert (config.optimizer, config.momentum) == ("sgd", 0.9)
    assert config.estimator == {"t_min": 0.1, "t_max": 10.0}
    assert (config.alignment, config.pad_values) == ("torch", 0.0)
    is_imagenet = config.dataset == "imagenet2012"
    assert config.nesterov == is_imagenet
    assert config.estimator_update_freq == ("batch" if is_imagenet else "epoch")
    assert config.batch_size == (2048 if is_imagenet else 128)
    assert config.learning_rate_schedule == ("step" if is_imagenet else "cosine")
    gamma = None if "vgg" in name else "uniform"
    assert config.network_options.get("bn_gamma") == gamma


# network, block, channel statistics, epochs, highest learning rate, weight decay
SETTINGS = {
    "irnet_resnet18_cifar10": ("CifarResNet18", None, "cifar10", 400, 0.1, 1e-5),
    "irnet_resnet18_imagenet": ("ResNet18", "bi_real", "imagenet", 100, 0.8, 1e-5),
    "irnet_resnet20_cifar10": ("ResNet20", "bi_real", "imagenet", 400, 0.1, 1e-4),
    "irnet_resnet20_normal_cifar10": (
        *("ResNet20", "normal", "imagenet", 400, 0.1, 1e-4),
    ),
    "irnet_resnet34_imagenet": ("ResNet34", "bi_real", "imagenet", 100, 0.8, 1e-4),
    "irnet_vgg_small_cifar10": ("VGGSmall", None, "imagenet", 300, 0.007, 1e-4),
    "irnet_w1a32_resnet18_imagenet": (
        *("ResNet18", "normal", "imagenet", 100, 0.8, 1e-4),
    ),
    "irnet_w1a32_resnet20_cifar10": (
        *("ResNet20", "normal", "imagenet", 400, 0.1, 1e-4),
    ),
    "irnet_w1a32_resnet34_imagenet": (
        *("ResNet34", "normal", "imagenet", 100, 0.8, 1e-4),
    ),
}


def test_settings_are_the_authors():
    configs = {name: recipes.get(name).config for name in PUBLISHED}
    assert SETTINGS == {
        name: (
            config.network,
            config.network_options.get("block"),
            config.statistics,
            config.epochs,
            config.learning_rate,
            config.weight_decay,
        )
        for name, config in configs.items()
    }


@pytest.mark.parametrize("name", [name for name in PUBLISHED if "imagenet" in name])
def test_imagenet_takes_62500_iterations_with_the_authors_rates(name):
    config = recipes.get(name).config
    assert config.steps * config.epochs == 62_500
    rate = learning_rate_for(config)
    expected = {
        0: 0.2,
        1_250: 0.5,
        2_500: 0.8,
        18_749: 0.8,
        18_750: 0.08,
        37_500: 0.008,
        56_250: 0.0008,
    }
    rates = {step: float(rate(step)) for step in expected}
    assert rates == pytest.approx(expected, rel=1e-6)  # float32


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
    assert results["trainable_parameters"] == DIGITS_PARAMETERS
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
