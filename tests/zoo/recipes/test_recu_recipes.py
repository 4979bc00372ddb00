"""The published recipes of ReCU are the authors' runs."""

import math
import re

import pytest

from zoo import recipes
from zoo.learning_rate import learning_rate_for

SGD = [
    "recu_resnet18_cifar10",
    "recu_resnet18_imagenet",
    "recu_resnet20_cifar10",
    "recu_resnet34_imagenet",
    "recu_vgg_small_cifar10",
]
IMAGENET = [name for name in SGD if "imagenet" in name]
# the paper's Tables 4 and 5
PAPER = {
    "recu_resnet18_cifar10": 0.928,
    "recu_resnet18_imagenet": 0.610,
    "recu_resnet20_cifar10": 0.874,
    "recu_resnet34_imagenet": 0.651,
    "recu_vgg_small_cifar10": 0.922,
}
# network, block, shortcut, initial scale of normalisations
NETWORKS = {
    "recu_resnet18_cifar10": ("CifarResNet18", None, "average_pool", "uniform"),
    "recu_resnet18_imagenet": ("ResNet18", "bi_real", None, "near_zero"),
    "recu_resnet20_cifar10": ("ResNet20", "bi_real", "average_pool", "uniform"),
    "recu_resnet34_imagenet": ("ResNet34", "bi_real", None, "near_zero"),
    "recu_vgg_small_cifar10": ("VGGSmall", None, None, "ones"),
}


def config_of(name):
    return recipes.get(name).config


@pytest.mark.parametrize("name", SGD)
def test_settings_are_the_authors(name):
    config = config_of(name)
    is_imagenet = name in IMAGENET
    assert (config.optimizer, config.momentum, config.nesterov) == ("sgd", 0.9, False)
    assert (config.learning_rate, config.warmup_epochs) == (0.1, 5)
    assert config.learning_rate_schedule == "warmup_cosine"
    assert config.epochs == (200 if is_imagenet else 600)
    assert config.batch_size == (512 if is_imagenet else 256)
    assert config.weight_decay == (1e-4 if is_imagenet else 5e-4)
    assert config.estimator == {"tau_min": 0.85, "tau_max": 0.99, "b_star": 2.0}
    assert config.estimator_update_freq == "epoch"
    assert config.statistics == "imagenet"
    assert (config.alignment, config.pad_values) == ("torch", 0.0)


def test_networks_are_the_authors():
    configs = {name: config_of(name) for name in SGD}
    assert NETWORKS == {
        name: (
            config.network,
            *map(config.network_options.get, ("block", "shortcut", "bn_gamma")),
        )
        for name, config in configs.items()
    }


def test_published_accuracies_are_those_of_the_paper():
    assert {name: recipes.get(name).published_accuracy for name in SGD} == PAPER


@pytest.mark.parametrize("name", SGD)
def test_learning_rates_are_the_authors(name):
    config = config_of(name)
    rate, epochs = learning_rate_for(config), config.epochs
    expected = [0.02, 0.04, 0.06, 0.08, 0.1] + [
        0.05 * (1 + math.cos(math.pi * (epoch - 4) / (epochs - 4)))
        for epoch in range(5, epochs)
    ]
    rates = [float(rate(epoch * config.steps)) for epoch in range(epochs)]
    # float32: the last rate is a few millionths, the rounding of 1 + cos
    assert rates == pytest.approx(expected, rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("name", IMAGENET)
def test_imagenet_images_are_cut_as_the_authors_do(name):
    assert config_of(name).augmentation == {"scale": (0.08, 1.25), "jitter": None}


@pytest.mark.parametrize("name", SGD)
def test_decayed_weights_are_the_authors(name):
    config = config_of(name)
    weights = config.build_model(input_shape=(64, 64, 3)).trainable_weights
    names = [weight.name.removesuffix(":0") for weight in weights]
    free = {one for one in names if not re.fullmatch(config.decayed_weights, one)}
    is_free = [
        bool(re.search(r"_bn/|stage\d_block1_conv/", one)) and name in IMAGENET
        for one in names
    ]
    assert free == {one for one, free in zip(names, is_free) if free}
    assert bool(free) == (name in IMAGENET)
