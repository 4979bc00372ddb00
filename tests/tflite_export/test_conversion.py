"""A converter that fails, crashes or hangs becomes one clear error."""

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


def test_log_lines_are_not_its_words():
    stderr = (
        "I0000 00:00:1 noise\nWARNING: all\nTraceback (most recent call last):\n"
        '  File "x.py", line 1\n    ^^^^\nreal trouble\n'
    )
    assert conversion._last_words(stderr) == "real trouble"


def test_unknown_converters_are_refused(model):
    with pytest.raises(ValueError, match="'lce' or 'tflite', got 'onnx'"):
        conversion.convert(model, converter="onnx")
