"""Models from elsewhere run in a process that they may crash."""

import numpy as np
import pytest

from tests.tflite_export.tiny_flatbuffer import as_bytes, tiny_model
from tflite_export import FlatbufferError, interpreting
from tflite_export.interpreting import explain_run, random_inputs, run_samples


def test_a_right_model_runs():
    content = as_bytes(tiny_model())
    (x,) = random_inputs(content)
    (y,) = run_samples(content, [x])
    constant = np.arange(4, dtype=np.float32)
    np.testing.assert_array_equal(y, x + constant + constant)
    assert explain_run(content) is None


def test_what_the_runtime_refuses_is_told():
    model = tiny_model()
    model.operatorCodes[0].version = 99
    assert "Didn't find op for builtin opcode 'ADD'" in str(
        explain_run(as_bytes(model))
    )


@pytest.mark.parametrize(
    "script, words",
    [
        ("import os; os.abort()", "the runtime crashed (SIGABRT)"),
        ("import time; time.sleep(600)", "the runtime did not end within 3 s"),
    ],
)
def test_a_crash_does_not_reach_the_caller(monkeypatch, tmp_path, script, words):
    name = f"stand_in_{tmp_path.name}"
    (tmp_path / f"{name}.py").write_text(script)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(interpreting, "_WORKER", name)
    assert words in str(explain_run(as_bytes(tiny_model()), timeout=3.0))


def test_other_bytes_do_not_run():
    with pytest.raises(FlatbufferError, match="Expected a .tflite file"):
        explain_run(b"a poem")
