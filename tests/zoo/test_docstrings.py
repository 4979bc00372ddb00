"""The `>>>` examples of all docstrings run and print what they say."""

import doctest
import importlib
import inspect

import pytest
import tensorflow as tf

from tests.zoo.test_public_names import MODULES


def _examples():
    finder = doctest.DocTestFinder(exclude_empty=True)
    for name in MODULES:
        module = importlib.import_module(name)
        globs = {"tf": tf, **vars(module)}
        tests = finder.find(module, name, module=module, globs=globs)
        yield from (test for test in tests if test.examples)


EXAMPLES = list(_examples())


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_example_prints_what_it_says(example):
    report: list[str] = []
    runner = doctest.DocTestRunner(verbose=False, optionflags=doctest.ELLIPSIS)
    result = runner.run(example, out=report.append, clear_globs=False)
    assert result.failed == 0, "".join(report)


def test_the_search_finds_the_examples():
    names = {example.name for example in EXAMPLES}
    assert {
        "zoo.datasets.digits.Digits",
        "zoo.datasets.get",
        "zoo.models.alignment.Rotate180",
        "zoo.models.get",
        "zoo.models.option_a_shortcut.OptionAShortcut",
        "zoo.models.resnet20.ResNet20",
        "zoo.recipes.get",
    } <= names


@pytest.mark.parametrize("name", MODULES)
def test_every_module_has_a_summary(name):
    summary = (inspect.getdoc(importlib.import_module(name)) or "").splitlines()[:1]
    assert summary and summary[0].endswith((".", "`"))


@pytest.mark.parametrize("name", MODULES)
def test_every_public_object_has_a_docstring(name):
    module = importlib.import_module(name)
    public = [getattr(module, public_name) for public_name in module.__all__]
    described = [o for o in public if inspect.isclass(o) or inspect.isfunction(o)]
    assert [o for o in described if not inspect.getdoc(o)] == []
