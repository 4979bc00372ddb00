import re

import pytest

import zoo
from zoo import models

NAMES = [
    "CifarResNet18",
    "DARTS",
    "EfficientNetB0",
    "IR2Net18",
    "MobileNetV1",
    "ReActNet18",
    "ResNet18",
    "ResNet20",
    "ResNet34",
    "VGGSmall",
]


def test_names():
    assert models.names() == NAMES


@pytest.mark.parametrize("name", models.names())
def test_networks_are_public_under_their_names(name):
    assert models.get(name) is getattr(models, name) is getattr(zoo, name)


@pytest.mark.parametrize("name", ["resnet20", "", "ResNet21"])
def test_unknown_network(name):
    message = f"Expected a network out of {NAMES}, got '{name}'."
    with pytest.raises(ValueError, match=re.escape(message)):
        models.get(name)
