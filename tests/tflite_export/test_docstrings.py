"""The `>>>` examples of all docstrings run and print what they say."""

import pkgutil

import pytest

import tflite_export
from tests.docstring_examples import assert_prints_what_it_says, find_examples

COMMAND_LINES = ("export", "benchmark")  # their flags collide within one process

EXAMPLES = list(
    find_examples(
        f"tflite_export.{module.name}"
        for module in pkgutil.iter_modules(tflite_export.__path__)
        if module.name not in COMMAND_LINES and not module.ispkg
    )
)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_example_prints_what_it_says(example):
    assert_prints_what_it_says(example)


def test_the_search_finds_the_examples():
    assert "tflite_export.lint.lint" in {example.name for example in EXAMPLES}
