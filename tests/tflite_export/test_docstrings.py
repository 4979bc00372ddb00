"""The `>>>` examples of all docstrings run and print what they say."""

import pkgutil

import pytest

import tflite_export
from tests.docstring_examples import assert_prints_what_it_says, find_examples

# Flags of command lines collide within one process; the worker is a script.
LEFT_OUT = ("export", "benchmark", "conversion_worker")

EXAMPLES = list(
    find_examples(
        module.name
        for module in pkgutil.walk_packages(tflite_export.__path__, "tflite_export.")
        if module.name.split(".")[1] not in LEFT_OUT
    )
)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_example_prints_what_it_says(example):
    assert_prints_what_it_says(example)


def test_the_search_finds_the_examples():
    names = {example.name for example in EXAMPLES}
    assert "tflite_export.lint.lint" in names
    assert "tflite_export.rewrites.rewriting.rewrite_layers" in names
