import importlib
import inspect
import pkgutil

import pytest

import zoo

# They define flags, of which a process can have each name only once.
COMMANDS = {
    "zoo.compare",
    "zoo.cost",
    "zoo.evaluate",
    "zoo.import_torch",
    "zoo.masks",
    "zoo.train",
    "zoo.tune",
}
ALL_MODULES = [
    "zoo",
    *(module.name for module in pkgutil.walk_packages(zoo.__path__, "zoo.")),
]
MODULES = [name for name in ALL_MODULES if name not in COMMANDS]


def defined_here(module):
    """Public classes and functions that a module defines, or a package gathers."""
    is_package = hasattr(module, "__path__")
    return {
        name
        for name, value in vars(module).items()
        if (inspect.isclass(value) or inspect.isfunction(value))
        and not name.startswith("_")
        and (
            value.__module__ == module.__name__
            or (is_package and value.__module__.startswith(f"{module.__name__}."))
        )
    }


def test_the_walk_finds_everything():
    assert COMMANDS <= set(ALL_MODULES)
    expected = {"zoo.models.resnet20", "zoo.recipes.recipe", "zoo.torch_import"}
    assert expected <= set(MODULES)


@pytest.mark.parametrize("name", MODULES)
def test_public_names_are_sorted_and_exist(name):
    module = importlib.import_module(name)
    names = list(module.__all__)
    assert names == sorted(set(names))
    assert [n for n in names if not hasattr(module, n)] == []


@pytest.mark.parametrize("name", MODULES)
def test_public_names_are_complete(name):
    module = importlib.import_module(name)
    assert defined_here(module) - set(module.__all__) == set()


def test_nothing_private_is_public():
    public = [n for m in MODULES for n in importlib.import_module(m).__all__]
    assert [name for name in public if name.startswith("_")] == []


def test_the_facade():
    assert zoo.ResNet20 is zoo.models.ResNet20
    assert zoo.recipes.get("irnet_resnet20_digits").config.network == "ResNet20"
