import pkgutil
import re

import pytest

from zoo import datasets, recipes
from zoo.recipes import Recipe
from zoo.train_config import TrainConfig

NAMES = recipes.names()
PUBLISHED = [name for name in NAMES if recipes.get(name).published_accuracy]
DIGITS = [name for name in NAMES if recipes.get(name).config.dataset == "digits"]
SCENES = [name for name in NAMES if name.endswith("_digit_scenes")]
# ResNet-20 with one input channel in place of three: 2 * 3 * 3 * 16 weights less
DIGITS_PARAMETERS = 269_850 - 288
PARAMETERS = {
    "dirnet_darts_cifar10": 3_349_342,
    # with ten classes in place of 1,000
    "dirnet_efficientnet_b0_cifar10": 5_288_548 - 990 * (1280 + 1),
    "dirnet_efficientnet_b0_imagenet": 5_288_548,
    "dirnet_mobilenet_v1_cifar10": 4_231_976 - 990 * (1024 + 1),
    "dirnet_mobilenet_v1_imagenet": 4_231_976,
    **{
        f"ir2net18_{fusion}{stage}_imagenet": parameters
        for fusion, parameters in (
            ("a", 12_220_264),
            ("b", 11_960_424),
            ("c", 11_882_344),
            ("d", 11_727_070),
        )
        for stage in ("", "_stage1")
    },
    "ir2net_resnet18_cifar10": 11_207_096,
    "ir2net_resnet20_cifar10": 272_458,
    "ir2net_vgg_small_cifar10": 4_675_834,
    "irnet_resnet18_cifar10": 11_174_986,
    "irnet_resnet18_imagenet": 11_690_536,
    "irnet_resnet20_cifar10": 269_850,
    "irnet_resnet20_normal_cifar10": 269_850,
    "irnet_resnet34_imagenet": 21_798_696,
    "irnet_vgg_small_cifar10": 4_660_106,
    "irnet_w1a32_resnet18_imagenet": 11_690_536,
    "irnet_w1a32_resnet20_cifar10": 269_850,
    "irnet_w1a32_resnet34_imagenet": 21_798_696,
    "recu_reactnet18_imagenet": 11_708_264,
    "recu_reactnet18_stage1_imagenet": 11_708_264,
    "recu_resnet18_cifar10": 11_005_002,
    "recu_resnet18_imagenet": 11_694_376,
    "recu_resnet20_cifar10": 270_522,
    "recu_resnet34_imagenet": 21_806_248,
    "recu_vgg_small_cifar10": 4_661_770,
    **dict.fromkeys(DIGITS, DIGITS_PARAMETERS),
    **dict.fromkeys(SCENES, 269_850),
    "ir2net_resnet20_digit_scenes": 272_458,
    "recu_resnet20_digit_scenes": 270_522,
    # narrower or shallower than the published networks
    "dirnet_darts_digits": 29_210,
    "dirnet_efficientnet_b0_digits": 2_490_406,
    "dirnet_mobilenet_v1_digits": 823_434,
    "ir2net_resnet20_digits": DIGITS_PARAMETERS + 272_458 - 269_850,  # the fusion
    # with a scale for each of the channels of 3 x 6 binary convolutions
    "recu_resnet20_digits": DIGITS_PARAMETERS + 6 * (16 + 32 + 64),
    "recu_resnet20_digits_sgd": DIGITS_PARAMETERS + 6 * (16 + 32 + 64),
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
    network = recipe.config.network.removeprefix("Cifar").replace("VGG", "vgg_")
    network = re.sub(r"(?<=Net)([BV]\d)", r"_\1", network).lower()  # its version
    method = recipe.config.method
    is_in_network = network.startswith(method)  # IR2Net18
    assert name.startswith(f"{network}_" if is_in_network else f"{method}_{network}_")
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


def _settings(name, free):
    config = vars(recipes.get(name).config)
    return {key: value for key, value in config.items() if key not in free}


def _assert_alike(names, free):
    first, *others = (_settings(name, free) for name in names)
    for other in others:
        assert other == first


@pytest.mark.parametrize("name", PUBLISHED)
def test_headers_hold_the_published_accuracy(name):
    module = pkgutil.resolve_name(f"zoo.recipes.{name}")
    (reported,) = re.findall(
        r"The (?:paper|authors) reports? (\d\d\.\d)", module.__doc__
    )
    assert float(reported) / 100 == pytest.approx(recipes.get(name).published_accuracy)


def test_overrides_replace_arguments_of_the_builder():
    recipe = recipes.get("irnet_resnet20_digits")
    model = recipe.build_model(alignment="torch", num_classes=3, pad_values=0.0)
    assert model.get_layer("rotate")
    assert model.output_shape == (None, 3)
    assert model.get_layer("stage1_block1_conv1").pad_values == 0.0
    assert recipe.config.pad_values == 1.0


def test_digits_recipes_differ_in_the_method_and_what_was_tuned():
    tuned = {"learning_rate", "network_options", "optimizer", "weight_decay"}
    free = {"method", "estimator", "restriction", "warmup_epochs", *tuned}
    methods = ("float", "ste_sign", "irnet", "recu", "ir2net", "dirnet")
    _assert_alike([f"{method}_resnet20_digits" for method in methods], free)


def test_digits_recipes_with_sgd_differ_in_the_method():
    methods = ("float", "ste_sign", "irnet", "recu")
    _assert_alike([f"{method}_resnet20_digits_sgd" for method in methods], {"method"})


def test_the_taught_recipe_has_the_settings_of_the_one_without():
    free = {"teacher", "teacher_weights", "distillation"}
    taught = _settings("dirnet_resnet20_digits_rbd", free)
    assert taught == _settings("dirnet_resnet20_digits", free)


def test_scenes_recipes_differ_in_the_method():
    methods = {recipes.get(name).config.method for name in SCENES}
    assert methods == {"float", "ste_sign", "irnet", "recu", "ir2net", "dirnet"}
    assert len(SCENES) == 6
    assert {recipes.get(name).config.network for name in SCENES} == {"ResNet20"}
    _assert_alike(SCENES, {"method", "restriction"})


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
    message = rf"Expected a recipe out of \[.*'float_resnet20_digits'.*\], got '{name}'"
    with pytest.raises(ValueError, match=message):
        recipes.get(name)
