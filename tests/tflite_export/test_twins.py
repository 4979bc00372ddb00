import numpy as np
import pytest

from tflite_export import twins
from tflite_export.findings import ExportError, Finding
from tflite_export.flatbuffer import Flatbuffer
from tflite_export.twins import FLOAT_TWIN, INT8_TWIN, convert_twins


def test_twins_in_float_and_int8(residual_model):
    images = np.random.default_rng(0).normal(size=(8, 8, 8, 3)).astype(np.float32)
    converted = convert_twins(residual_model, [images])
    assert list(converted) == [FLOAT_TWIN, INT8_TWIN]
    in_float, in_int8 = map(Flatbuffer, converted.values())
    for flatbuffer, dtype in ((in_float, "float32"), (in_int8, "int8")):
        assert not any(o.name.startswith("Lce") for o in flatbuffer.operators)
        computed = [o for o in flatbuffer.operators if "QUANTIZE" not in o.name]
        assert {o.outputs[0].dtype for o in computed} == {dtype}
    # a float network pads with zeros, without operators of their own
    assert "PADV2" not in {o.name for o in in_float.operators}
    kernels = [
        max(o.inputs[1].constant_bytes for o in one.operators if o.name == "CONV_2D")
        for one in (in_float, in_int8)
    ]
    assert kernels == [4 * 9 * 32 * 32, 9 * 32 * 32]


def test_a_twin_that_cannot_be_converted(residual_model, monkeypatch):
    def fail(*_, **__):
        raise ExportError("No", [Finding("error", "m", "it fails.", "wait.")])

    monkeypatch.setattr(twins, "convert", fail)
    with pytest.raises(ExportError, match="benchmark=False leaves them out"):
        convert_twins(residual_model)
