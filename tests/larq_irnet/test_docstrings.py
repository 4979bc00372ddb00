"""The `>>>` examples of all docstrings run and print what they say."""

import pkgutil

import pytest

import larq_irnet
from tests.docstring_examples import assert_prints_what_it_says, find_examples

EXAMPLES = list(
    find_examples(
        module.name
        for module in pkgutil.walk_packages(larq_irnet.__path__, "larq_irnet.")
    )
)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_example_prints_what_it_says(example):
    assert_prints_what_it_says(example)


def test_the_search_finds_the_examples():
    names = {example.name for example in EXAMPLES}
    assert {
        "larq_irnet.callbacks.estimator_scheduler.set_progress",
        "larq_irnet.layers.quant_layers.QuantConv2D",
        "larq_irnet.quantizers.ede.ede_sign",
        "larq_irnet.quantizers.libra_pb.LibraPB",
    } <= names
