import pytest

from zoo import recipes
from zoo.recipes_of_methods import METHODS, recipes_of


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
