"""The converter does with every network of the tables what the tables say.

One model holds them all side by side and is converted once.
"""

import numpy as np
import pytest
import tensorflow as tf

from tests.tflite_export.lint import (
    test_convolutions,
    test_input_signs,
    test_kernels,
    test_miscompilations,
    test_surroundings,
)
from tflite_export.conversion import convert
from tflite_export.flatbuffer import Flatbuffer
from tflite_export.interpreting import run_samples

TABLES = (
    test_input_signs,
    test_kernels,
    test_convolutions,
    test_surroundings,
    test_miscompilations,
)
CASES = [case for table in TABLES for case in table.CASES if case.operators is not None]
WRITES_BITS = ("LceBconv2d", "LceBMaxPool2d")


@pytest.fixture(scope="module")
def models():
    return [case.model() for case in CASES]


@pytest.fixture(scope="module")
def flatbuffer(models):
    inputs = [tf.keras.Input(model.input_shape[1:]) for model in models]
    outputs = [model(x) for model, x in zip(models, inputs)]
    return Flatbuffer(convert(tf.keras.Model(inputs, outputs)))


def ends(flatbuffer, number):
    return (
        flatbuffer.named_inputs()[f"input_{number}"],
        flatbuffer.named_outputs()[f"output_{number}"],
    )


def described(operator):
    bits = operator.name in WRITES_BITS and operator.outputs[0].dtype == "int32"
    return operator.name + "*" * bits


@pytest.mark.parametrize("number", range(len(CASES)), ids=[one.name for one in CASES])
def test_operators(flatbuffer, number):
    start, end = ends(flatbuffer, number)
    operators = flatbuffer.operators_between([start], [end])
    assert " ".join(map(described, operators)) == CASES[number].operators


@pytest.mark.parametrize("number", range(len(CASES)), ids=[one.name for one in CASES])
def test_values(flatbuffer, models, number):
    start, end = ends(flatbuffer, number)
    part = flatbuffer.part([start], [end])
    x = np.random.default_rng(0).normal(size=start.shape).astype(np.float32)
    if CASES[number].values == "refused":
        with pytest.raises(RuntimeError, match="AllocateTensors"):
            run_samples(part, [x])
        return
    (outputs,) = run_samples(part, [x])
    expected = models[number](x).numpy()
    error = np.abs(outputs - expected).max() / np.abs(expected).max()
    # float32 sums of up to 1584 terms; a wrong sign shows at once in so small outputs
    assert (error < 1e-5) == (CASES[number].values == "right"), error


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_an_error_is_what_stays_float_or_is_wrong_and_nothing_else_is(case):
    severities = {severity for severity, *_ in case.findings}
    if "error" in severities:
        assert "LceBconv2d" not in case.operators or case.values != "right"
    else:
        assert case.values == "right"
