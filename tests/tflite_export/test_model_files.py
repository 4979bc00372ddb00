"""Whatever a file holds, the caller gets a model or one clear error."""

import sys

import numpy as np
import pytest
import tensorflow as tf

import larq_irnet as irnet
from tests.tflite_export.networks import network_of
from tflite_export import model_files
from tflite_export.model_files import ModelFileError, read_model_file


@pytest.fixture(scope="module")
def model():
    layer = irnet.layers.QuantConv2D(3, 3, quantizer="irnet", name="conv")
    return network_of(layer, (5, 5, 2))


@pytest.fixture(scope="module")
def saved(model, tmp_path_factory):
    path = tmp_path_factory.mktemp("saved") / "model.keras"
    model.save(path)
    return path


def test_a_model_comes_back(model, saved):
    read = read_model_file(saved)
    x = np.random.default_rng(0).normal(size=(2, 5, 5, 2))
    np.testing.assert_array_equal(read(x), model(x))
    latent = read.get_layer("conv").get_weights()[0]
    np.testing.assert_array_equal(latent, model.get_layer("conv").get_weights()[0])


def test_a_refusal_is_passed_on(tmp_path):
    path = tmp_path / "lambda.keras"
    network_of(tf.keras.layers.Lambda(lambda x: x), (3,)).save(path)
    with pytest.raises(ModelFileError, match="lambda.keras.*Python code"):
        read_model_file(path)


@pytest.fixture
def worker(monkeypatch, tmp_path):
    """Puts a script in the place of the process that reads."""
    name = f"stand_in_{tmp_path.name}"
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(model_files, "_WORKER", name)
    return tmp_path / f"{name}.py"


@pytest.mark.parametrize(
    "script, words",
    [
        ("import os; os.abort()", r"crashed \(SIGABRT\)"),
        ("import time; time.sleep(600)", "did not end within 5 s"),
        ("raise KeyError('weights')", "exit code 1.*KeyError: 'weights'"),
    ],
)
def test_the_end_of_the_reading_process_is_told(saved, worker, script, words):
    worker.write_text(script)
    with pytest.raises(ModelFileError, match=f"Cannot read {saved}.*{words}"):
        read_model_file(saved, timeout=5.0)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux limits memory")
def test_its_memory_is_limited(saved, worker):
    worker.write_text("bytearray(4 * 2**30)")
    with pytest.raises(ModelFileError, match="ran out of its memory of 2 GiB"):
        read_model_file(saved, memory_limit=2 * 2**30)


def test_a_missing_file(tmp_path):
    with pytest.raises(ModelFileError, match="found none at .*none.h5"):
        read_model_file(tmp_path / "none.h5")


def test_modules_of_registered_layers_are_known():
    modules = model_files._registering()
    assert "larq_irnet.quantizers.ede" in modules
    assert "__main__" not in modules
