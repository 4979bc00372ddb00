import importlib
import pkgutil

import pytest

import larq_irnet

MODULES = ["larq_irnet"] + [
    module.name for module in pkgutil.walk_packages(larq_irnet.__path__, "larq_irnet.")
]
PACKAGES = [
    name for name in MODULES if hasattr(importlib.import_module(name), "__path__")
]


def test_the_walk_finds_the_packages():
    assert {"larq_irnet", "larq_irnet.layers", "larq_irnet.quantizers"} <= set(PACKAGES)


@pytest.mark.parametrize("name", PACKAGES)
def test_every_package_has_public_names(name):
    assert importlib.import_module(name).__all__


@pytest.mark.parametrize("name", MODULES)
def test_public_names_are_sorted_and_exist(name):
    module = importlib.import_module(name)
    names = list(getattr(module, "__all__", []))
    assert names == sorted(set(names))
    assert [n for n in names if not hasattr(module, n)] == []


@pytest.mark.parametrize("name", [name for name in PACKAGES if name != "larq_irnet"])
def test_subpackages_are_attributes_of_the_facade(name):
    attribute = name.removeprefix("larq_irnet.")
    assert attribute in larq_irnet.__all__
    assert getattr(larq_irnet, attribute) is importlib.import_module(name)


def test_version():
    assert larq_irnet.__version__.split(".")[0].isdecimal()
