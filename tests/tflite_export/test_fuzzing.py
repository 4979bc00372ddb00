"""Damaged files by the thousand: each is refused clearly, or read, and nothing else."""

import json
import signal
import sys
import warnings

import pytest
import tensorflow as tf

from tests.tflite_export.mutations import mutated
from tests.tflite_export.tiny_flatbuffer import as_bytes, tiny_model
from tflite_export import Flatbuffer, FlatbufferError
from tflite_export.limited_process import ProcessError, run_limited

# If all damaged files were refused, or none, the tests would show little: a part has to
# be read, and a part refused.
_LEAST_SHARE = 0.03


def read_all(flatbuffer):
    flatbuffer.inputs, flatbuffer.outputs, flatbuffer.tensors
    flatbuffer.named_inputs(), flatbuffer.named_outputs()
    for operator in flatbuffer.operators:
        flatbuffer.part(operator.inputs[:1], operator.outputs)


def is_read(content):
    try:
        read_all(Flatbuffer(content))
    except FlatbufferError as error:
        assert "Expected a .tflite file" in str(error)
        return False
    return True


def read_share(content, seeds):
    return sum(is_read(mutated(content, seed)) for seed in seeds) / len(seeds)


def test_damaged_flatbuffers(converted_residual):
    share = read_share(converted_residual.content, range(1000))
    assert _LEAST_SHARE < share < 1 - _LEAST_SHARE


def test_damaged_small_flatbuffers():
    """Where every byte matters."""
    share = read_share(as_bytes(tiny_model()), range(1000))
    assert _LEAST_SHARE < share < 1 - _LEAST_SHARE


@pytest.mark.skipif(not hasattr(signal, "alarm"), reason="needs POSIX signals")
@pytest.mark.parametrize("name", ["model.h5", "model.keras"])
def test_damaged_model_files(name, tmp_path):
    inputs = tf.keras.Input((4, 4, 2))
    x = tf.keras.layers.Conv2D(3, 3, activation="relu", name="conv")(inputs)
    x = tf.keras.layers.BatchNormalization(name="norm")(x)
    x = tf.keras.layers.Add(name="add")(
        [x, tf.keras.layers.Flatten(name="f")(x)[:, :3]]
    )
    source = tmp_path / "right" / name
    source.parent.mkdir()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Keras warns of .h5
        tf.keras.Model(inputs, x).save(source)
    deaths = read_mutated(source, tmp_path, 400)
    outcomes = json.loads((tmp_path / "outcomes.json").read_text())
    assert set(outcomes) == {"model", "refusal"}, outcomes
    assert min(map(len, outcomes.values())) > _LEAST_SHARE * 400
    # HDF5 itself may crash or hang; `read_model_file` then says so
    assert len(deaths) <= 4, deaths


def read_mutated(source, folder, count):
    """Reads the damaged files; gives what has ended the process that reads them."""
    deaths: list[str] = []
    first = 0
    while first < count:
        script = "tests.tflite_export.read_mutated_files"
        seeds = [str(first), str(count)]
        command = [sys.executable, "-m", script, str(source), str(folder), *seeds]
        try:
            run_limited(command, timeout=300.0, memory_limit=8 * 2**30)
            return deaths
        except ProcessError as error:
            seed = int((folder / "current").read_text())
            deaths.append(f"seed {seed}: {error}")
            first = seed + 1
    return deaths
