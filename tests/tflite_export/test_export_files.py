"""An export that is interrupted anywhere leaves each file old or new, and whole."""

import os
from typing import Any

import pytest
import tensorflow as tf

import tflite_export
from tests.tflite_export.networks import bare_sign, binary_conv, larq_conv, network_of
from tests.tflite_export.tiny_flatbuffer import as_bytes, tiny_model
from tflite_export import exporting
from tflite_export.binary_weights import load_binary_weights
from tflite_export.export_files import ExportFiles
from tflite_export.report_page import render_page
from tflite_export.verification import Verification


@pytest.fixture
def files(tmp_path):
    """Those of an older export."""
    files = ExportFiles(tmp_path / "net.tflite", prefix="net.")
    for path in (files.model, files.report, files.page, files.weights):
        path.write_text("old")
    return files


@pytest.fixture
def write(files, monkeypatch):
    """The end of an export, without the seconds before."""
    nothing = Verification((), 0, 0, (), None, samples=1, given=False)
    finished: dict[str, Any] = {
        "convert": as_bytes(tiny_model()),
        "find_binary_layers": [],
        "summarize_operators": [],
        "verify": nothing,
    }
    for name, result in finished.items():
        monkeypatch.setattr(exporting, name, lambda *_, result=result, **__: result)
    model = network_of(binary_conv(32, "conv"))

    def write():
        result = tflite_export.export(model, files.model, benchmark=False)
        files.write_reports(result.report, render_page(result.report))
        files.write_weights(model)
        return result

    return write


def test_names(tmp_path):
    files = ExportFiles(tmp_path / "model.tflite")
    names = [path.name for path in (files.report, files.page, files.weights)]
    assert names == ["report.json", "report.html", "binary_weights.npz"]


def test_all_are_written(files, write):
    result = write()
    assert files.model.read_bytes() == result.flatbuffer
    assert files.report.read_text() == result.report.to_json()
    assert "<html" in files.page.read_text(encoding="utf-8")
    assert len(load_binary_weights(files.weights)) == 1


@pytest.mark.parametrize("step", ["fsync", "replace"])
@pytest.mark.parametrize("number", range(4))
def test_an_interruption_leaves_whole_files(files, write, monkeypatch, step, number):
    paths = (files.model, files.report, files.page, files.weights)
    whole = getattr(os, step)
    calls = []

    def interrupted(*arguments):
        calls.append(arguments)
        if len(calls) == number + 1:
            raise KeyboardInterrupt
        return whole(*arguments)

    monkeypatch.setattr(os, step, interrupted)
    with pytest.raises(KeyboardInterrupt):
        write()
    monkeypatch.undo()
    assert [path.read_bytes() == b"old" for path in paths] == [
        index >= number for index in range(4)
    ]
    assert sorted(files.model.parent.iterdir()) == sorted(paths)


def test_a_model_without_binary_weights(files):
    files.weights.unlink()
    assert files.write_weights(network_of(tf.keras.layers.Dense(2), (3,))) == (
        "no binary weights"
    )
    assert not files.weights.exists()


def test_weights_that_are_not_binary_are_told(files):
    layer = larq_conv(bare_sign, kernel_quantizer="ste_tern", name="ternary")
    assert "no binary weights: Expected" in files.write_weights(network_of(layer))
    assert files.weights.read_text() == "old"
