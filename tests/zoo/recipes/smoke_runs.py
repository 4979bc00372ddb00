"""What recipes for CIFAR and ImageNet do on synthetic images of the same shape."""

import math
from typing import Any

from zoo import recipes, training
from zoo.workdir import Workdir

# a run of a large network takes a minute: every method has one, and every network but
# those that differ from another in depth or fusion alone
LEFT_OUT = (
    *("irnet_resnet34_imagenet", "irnet_w1a32_resnet34_imagenet"),
    *("irnet_w1a32_resnet18_imagenet", "recu_resnet18_imagenet"),
    "recu_resnet34_imagenet",
    *("ir2net18_a_imagenet", "ir2net18_b_imagenet", "ir2net18_c_imagenet"),
    *("dirnet_efficientnet_b0_imagenet", "dirnet_mobilenet_v1_cifar10"),
    *("irnet_resnet18_cifar10", "ir2net_resnet18_cifar10"),
    *("irnet_vgg_small_cifar10", "recu_vgg_small_cifar10"),
    *("irnet_resnet20_normal_cifar10", "recu_resnet20_cifar10"),
)


def is_smoked(name):
    """The published ones, and those for which nothing is known to be published."""
    recipe = recipes.get(name)
    is_ours = recipe.config.method == "dirnet" and recipe.config.dataset != "digits"
    return (recipe.published_accuracy or is_ours) and name not in LEFT_OUT


def recipes_of(dataset):
    """The names of those that are smoked, for one data set."""
    return [
        name
        for name in recipes.names()
        if is_smoked(name) and recipes.get(name).config.dataset == dataset
    ]


# to trace the training of DARTS' 240 binary convolutions takes TensorFlow minutes
SMALLER: dict[str, dict[str, Any]] = {
    "DARTS": {"channels": 4, "cells": 3},
    "EfficientNetB0": {"width": 0.25, "depth": 0.5},
    "MobileNetV1": {"alpha": 0.25},
}
CONSTANTS = {
    "dirnet": {"t", "k"},
    "ir2net": set(),
    "irnet": {"t", "k"},
    "irnet_w1a32": {"t", "k"},
    "recu": {"tau"},
}


def assert_trains(name, path):
    """Runs a recipe, shrunk to seconds."""
    config = recipes.get(name).config.shrunk()
    options = {**config.network_options, **SMALLER.get(config.network, {})}
    config = config.with_settings({"network_options": options})
    assert config.dataset == f"synthetic_{recipes.get(name).config.dataset}"
    results = training.run(config, path, progress="none")
    history = Workdir(path).history()
    assert len(history) == config.epochs
    assert all(math.isfinite(row["loss"]) for row in history)
    assert {*CONSTANTS[config.method], "lr"} <= set(history[0])
    has_top5 = "imagenet" in config.dataset
    assert ("top5_accuracy" in results["test"]) == has_top5
    assert Workdir(path).model().name
