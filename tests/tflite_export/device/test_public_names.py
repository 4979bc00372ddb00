"""What the modules offer is listed, sorted, and complete."""

import importlib
import inspect
import pkgutil

import pytest

import tflite_export.device

MODULES = [
    "tflite_export.device",
    *(
        module.name
        for module in pkgutil.iter_modules(
            tflite_export.device.__path__, "tflite_export.device."
        )
    ),
]


@pytest.mark.parametrize("name", MODULES)
def test_public_names_are_sorted_and_complete(name):
    module = importlib.import_module(name)
    names = list(module.__all__)
    assert names == sorted(set(names))
    defined = {
        key
        for key, value in vars(module).items()
        if (inspect.isclass(value) or inspect.isfunction(value))
        and value.__module__ == name
        and not key.startswith("_")
    }
    assert defined <= set(names) <= set(vars(module))
