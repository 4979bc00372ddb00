"""Finds the `>>>` examples of modules and runs them: shared by the three packages."""

import doctest
import importlib
from collections.abc import Iterable, Iterator

import larq as lq
import tensorflow as tf


def find_examples(names: Iterable[str]) -> Iterator[doctest.DocTest]:
    finder = doctest.DocTestFinder(exclude_empty=True)
    for name in names:
        module = importlib.import_module(name)
        globs = {"tf": tf, "lq": lq, **vars(module)}
        tests = finder.find(module, name, module=module, globs=globs)
        yield from (test for test in tests if test.examples)


def assert_prints_what_it_says(example: doctest.DocTest) -> None:
    report: list[str] = []
    runner = doctest.DocTestRunner(verbose=False, optionflags=doctest.ELLIPSIS)
    result = runner.run(example, out=report.append, clear_globs=False)
    assert result.failed == 0, "".join(report)
