"""The `>>>` examples of all docstrings run and print what they say."""

import pkgutil
from pathlib import Path

import pytest

import tflite_export
from tests.docstring_examples import assert_prints_what_it_says, find_examples

COMMAND_LINES = (
    "tflite_export.export",
    "tflite_export.benchmark",
    "tflite_export.deploy",
)  # their flags collide within one process

PACKAGES = {  # by path: the function `lint` stands in front of the package
    package: str(Path(tflite_export.__path__[0], *package.split(".")[1:]))
    for package in (
        "tflite_export",
        "tflite_export.device",
        "tflite_export.lint",
        "tflite_export.rewrites",
    )
}

EXAMPLES = list(
    find_examples(
        module.name
        for prefix, path in PACKAGES.items()
        for module in pkgutil.iter_modules([path], prefix=f"{prefix}.")
        if module.name not in COMMAND_LINES and not module.ispkg
    )
)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_example_prints_what_it_says(example):
    assert_prints_what_it_says(example)


def test_the_search_finds_the_examples():
    names = {example.name for example in EXAMPLES}
    assert "tflite_export.device.target.parse_target" in names
    assert "tflite_export.lint.linting.lint" in names
    assert "tflite_export.rewrites.rewriting.rewrite_layers" in names
