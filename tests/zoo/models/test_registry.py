import pytest

from zoo import models


def test_names():
    assert models.names() == ["ResNet20"]


@pytest.mark.parametrize("name", models.names())
def test_networks_are_public_under_their_names(name):
    assert models.get(name) is getattr(models, name)


@pytest.mark.parametrize("name", ["resnet20", "", "ResNet21"])
def test_unknown_network(name):
    message = rf"Expected a network out of \['ResNet20'\], got '{name}'"
    with pytest.raises(ValueError, match=message):
        models.get(name)
