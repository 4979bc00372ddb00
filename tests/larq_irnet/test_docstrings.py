"""The `>>>` examples of all docstrings run and print what they say."""

import doctest
import importlib
import pkgutil

import larq as lq
import pytest
import tensorflow as tf

import larq_irnet


def _examples():
    finder = doctest.DocTestFinder(exclude_empty=True)
    names = [m.name for m in pkgutil.walk_packages(larq_irnet.__path__, "larq_irnet.")]
    for name in names:
        module = importlib.import_module(name)
        globs = {"tf": tf, "lq": lq, **vars(module)}
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
        "larq_irnet.callbacks.estimator_scheduler.set_progress",
        "larq_irnet.layers.quant_layers.QuantConv2D",
        "larq_irnet.quantizers.ede.ede_sign",
        "larq_irnet.quantizers.libra_pb.LibraPB",
    } <= names
