"""The published recipes of IR-Net are the authors' runs."""

import pytest

from zoo import recipes
from zoo.learning_rate import learning_rate_for

PUBLISHED = [
    name
    for name in recipes.names()
    if name.startswith("irnet") and recipes.get(name).published_accuracy
]
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


def test_published_accuracies_are_those_of_the_paper():
    assert {name: recipes.get(name).published_accuracy for name in PUBLISHED} == PAPER


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
