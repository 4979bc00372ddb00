"""A converter that fails, crashes or hangs becomes one clear error."""

import sys

import pytest
import tensorflow as tf

import tflite_export
from tests.tflite_export.networks import network_of
from tflite_export import conversion


@pytest.fixture
def model():
    return network_of(tf.keras.layers.Conv2D(2, 1), (2, 2, 1))


def with_worker(monkeypatch, tmp_path, script):
    worker = tmp_path / "worker.py"  # a file runs as well as a folder
    worker.write_text(script)
    monkeypatch.setattr(conversion, "_WORKER", worker)


def test_a_crash_names_the_signal(monkeypatch, tmp_path, model):
    with_worker(monkeypatch, tmp_path, "import os; os.abort()")
    with pytest.raises(tflite_export.ExportError, match=r"crashed \(SIGABRT\)"):
        conversion.convert(model)


def test_a_failure_carries_the_words_of_the_converter(monkeypatch, tmp_path, model):
    script = "raise ValueError('operator of unknown kind')"
    with_worker(monkeypatch, tmp_path, script)
    with pytest.raises(tflite_export.ExportError, match="operator of unknown kind"):
        conversion.convert(model)


def test_a_hanging_converter_is_stopped(monkeypatch, tmp_path, model):
    with_worker(monkeypatch, tmp_path, "import time; time.sleep(60)")
    with pytest.raises(tflite_export.ExportError, match="did not end within 1 s"):
        conversion.convert(model, timeout=1.0)


def test_a_silent_converter_is_an_error(monkeypatch, tmp_path, model):
    with_worker(monkeypatch, tmp_path, "pass")
    with pytest.raises(tflite_export.ExportError, match="said nothing"):
        conversion.convert(model)


def test_an_unconverted_operator_is_told(caplog, monkeypatch, tmp_path, model):
    script = (
        "import sys, pathlib\n"
        "pathlib.Path(sys.argv[-1]).write_bytes(b'model')\n"
        "print('I0000 noise\\nCustom ops: BesselI0\\nDetails:', file=sys.stderr)"
    )
    with_worker(monkeypatch, tmp_path, script)
    assert conversion.convert(model) == b"model"
    (record,) = caplog.records
    assert record.levelname == "WARNING"
    assert "Custom ops: BesselI0" in record.getMessage()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits memory")
def test_a_greedy_converter_is_stopped(monkeypatch, tmp_path, model):
    with_worker(monkeypatch, tmp_path, "bytearray(4 * 2**30)")
    with pytest.raises(tflite_export.ExportError, match="ran out of its memory of 2"):
        conversion.convert(model, memory_limit=2 * 2**30)


def test_unknown_converters_are_refused(model):
    with pytest.raises(ValueError, match="'lce' or 'tflite', got 'onnx'"):
        conversion.convert(model, converter="onnx")
