"""DIR-Net's recipes for compact networks: our schedules, and no claim."""

import pkgutil

import pytest

from zoo import recipes

CIFAR10 = [f"dirnet_{n}_cifar10" for n in ("darts", "efficientnet_b0", "mobilenet_v1")]
IMAGENET = ["dirnet_efficientnet_b0_imagenet", "dirnet_mobilenet_v1_imagenet"]
# what is not of the schedule
OTHERS = ("network", "network_options", "method", "estimator", "alignment")


def schedule(name):
    settings = vars(recipes.get(name).config)
    return {key: value for key, value in settings.items() if key not in OTHERS}


@pytest.mark.parametrize("name", CIFAR10)
def test_schedules_for_cifar10_are_irnets(name):
    assert schedule(name) == schedule("irnet_resnet18_cifar10")


@pytest.mark.parametrize("name", IMAGENET)
def test_schedules_for_imagenet_are_irnets(name):
    assert schedule(name) == schedule("irnet_resnet18_imagenet")


@pytest.mark.parametrize("name", [*CIFAR10, *IMAGENET])
def test_nothing_is_claimed(name):
    recipe = recipes.get(name)
    assert recipe.config.method == "dirnet"
    assert recipe.test_accuracy is recipe.published_accuracy is None
    header = pkgutil.resolve_name(f"zoo.recipes.{name}").__doc__
    for words in ("The schedule is ours", "No accuracy is claimed"):
        assert words in header
