"""Reading a .tflite and cutting parts out of it."""

import numpy as np
import pytest

from tflite_export import Flatbuffer, FlatbufferError
from tflite_export.interpreting import run_samples
from tflite_export.report import summarize_operators


def test_operators_inputs_and_outputs(exported_residual):
    flatbuffer = Flatbuffer(exported_residual.flatbuffer)
    names = [operator.name for operator in flatbuffer.operators]
    assert names.count("LceBconv2d") == names.count("LceQuantize") == 2
    assert flatbuffer.named_inputs()["input_0"].shape == (1, 8, 8, 3)
    assert flatbuffer.named_outputs()["output_0"].shape == (1, 10)


def test_bytes_per_operator_add_up(exported_residual):
    flatbuffer = Flatbuffer(exported_residual.flatbuffer)
    summaries = {one.name: one for one in summarize_operators(flatbuffer)}
    # 3 * 3 * 3 * 32 weights and 32 biases in float32
    assert summaries["CONV_2D"].constant_bytes == 4 * (3 * 3 * 3 * 32 + 32)
    # per layer: 3 * 3 * 32 * 32 bits, then 32 multipliers and 32 biases in float32
    assert summaries["LceBconv2d"].constant_bytes == 2 * (9 * 32 * 4 + 2 * 32 * 4)
    constants = sum(one.constant_bytes for one in summaries.values())
    assert constants < len(exported_residual.flatbuffer)


def test_parts_run_one_after_the_other_equal_the_whole(exported_residual):
    flatbuffer = Flatbuffer(exported_residual.flatbuffer)
    additions = [o for o in flatbuffer.operators if o.name == "ADD"]
    (middle,) = additions[0].outputs  # both the shortcut and the second convolution
    images = np.random.default_rng(0).normal(size=(3, 8, 8, 3)).astype(np.float32)
    (whole,) = run_samples(flatbuffer.content, [images])
    (half,) = run_samples(flatbuffer.part(flatbuffer.inputs, [middle]), [images])
    second = flatbuffer.operators_between([middle], flatbuffer.outputs)
    computed = {t.index for operator in second for t in operator.outputs}
    sources = [
        tensor
        for operator in second
        for tensor in operator.inputs
        if tensor.index not in computed and not tensor.constant_bytes
    ]
    assert [tensor.index for tensor in {*sources}] == [middle.index]
    (rest,) = run_samples(flatbuffer.part([middle], flatbuffer.outputs), [half])
    np.testing.assert_array_equal(rest, whole)


@pytest.mark.parametrize(
    "content", [b"", b"TFL3", b"not a model at all", b"\0" * 4 + b"TFL3" + b"\xff" * 64]
)
def test_other_bytes_are_refused(content):
    with pytest.raises(FlatbufferError, match="Expected a .tflite file"):
        Flatbuffer(content)


@pytest.mark.parametrize("share", [0.01, 0.1, 0.5, 0.9])
def test_truncated_models_are_refused_or_read(exported_residual, share):
    content = exported_residual.flatbuffer
    try:
        Flatbuffer(content[: int(share * len(content))])
    except FlatbufferError as error:
        assert "Expected a .tflite file" in str(error)
