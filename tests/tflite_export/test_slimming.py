"""A smaller file of the same operators and constants."""

import numpy as np

from tflite_export.flatbuffer import Flatbuffer
from tflite_export.interpreting import run_samples
from tflite_export.slimming import slimmed


def test_operators_and_constants_stay(converted_residual):
    slim = Flatbuffer(slimmed(converted_residual.content))
    for one, other in zip(slim.operators, converted_residual.operators, strict=True):
        assert one.name == other.name
        assert [x.constant_bytes for x in one.inputs] == [
            x.constant_bytes for x in other.inputs
        ]
    assert [*slim.named_inputs()] == [*converted_residual.named_inputs()]
    assert [*slim.named_outputs()] == [*converted_residual.named_outputs()]


def test_the_same_numbers_to_the_last_bit(converted_residual):
    images = np.random.default_rng(0).normal(size=(4, 8, 8, 3)).astype(np.float32)
    content = converted_residual.content
    (ours,), (theirs,) = (run_samples(c, [images]) for c in (slimmed(content), content))
    np.testing.assert_array_equal(ours, theirs)


def test_it_is_smaller_and_readable(converted_residual):
    content = slimmed(converted_residual.content)
    assert len(content) < 0.95 * len(converted_residual.content)
    assert slimmed(content) == content
    names = {n for o in Flatbuffer(content).operators for n in o.names}
    assert {"first_bn", "first_act", "second_act"} <= names
