"""Model files: what is right is read exactly, what is hostile does nothing."""

import json
import shutil
import time
import warnings
import zipfile

import h5py
import numpy as np
import pytest
import tensorflow as tf

from tests.tflite_export.networks import (
    binary_conv,
    network_of,
    randomize_batch_norms,
)
from tflite_export.model_file_error import ModelFileError
from tflite_export.saved_containers import load_saved_model

layers = tf.keras.layers

FORMATS = {"h5": "model.h5", "keras": "model.keras", "SavedModel": "model"}


def save(model, path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Keras warns of .h5
        model.save(path)
    return path


def operators():
    inputs = tf.keras.Input((3, 2))
    x = tf.reshape(layers.Dense(2)(inputs) * 2.0 + inputs, (-1, 6))[:, 1:]
    return tf.keras.Model(inputs, tf.nn.relu(x))


def shared():
    inputs = [tf.keras.Input((4,)), tf.keras.Input((4,))]
    dense = layers.Dense(4, activation="relu")
    return tf.keras.Model(inputs, layers.Add()([dense(dense(inputs[0])), inputs[1]]))


def in_half_precision():
    policy = tf.keras.mixed_precision.Policy("mixed_float16")
    return tf.keras.Sequential([tf.keras.Input((4,)), layers.Dense(3, dtype=policy)])


def binary_in_binary():
    inner_inputs = tf.keras.Input((4, 4, 2))
    x = layers.BatchNormalization()(binary_conv(3, "inner")(inner_inputs))
    inner = tf.keras.Model(inner_inputs, x, name="inner_model")
    inputs = tf.keras.Input((4, 4, 2))
    x = layers.Conv2D(2, 1)(inner(inputs))
    return randomize_batch_norms(tf.keras.Model(inputs, x, name="outer_model"))


MODELS = [binary_in_binary, operators, shared, in_half_precision]


@pytest.mark.parametrize("name", FORMATS.values(), ids=FORMATS)
@pytest.mark.parametrize("build", MODELS)
def test_models_are_read_exactly(build, name, tmp_path):
    model = build()
    saved = load_saved_model(save(model, tmp_path / name))
    rebuilt = tf.keras.models.model_from_json(saved.config)
    rebuilt.set_weights(saved.weights)
    generator = np.random.default_rng(0)
    inputs = [generator.normal(size=(2, *x.shape[1:])) for x in model.inputs]
    inputs = tf.nest.pack_sequence_as(model.input, inputs)
    tf.nest.map_structure(np.testing.assert_array_equal, rebuilt(inputs), model(inputs))


def test_the_content_counts_not_the_name(tmp_path):
    model = network_of(layers.Dense(2), (3,))
    path = save(model, tmp_path / "model.h5").rename(tmp_path / "model.keras")
    assert len(load_saved_model(path).weights) == 2


def refusal(path):
    start = time.monotonic()
    with pytest.raises(ModelFileError) as error:
        load_saved_model(path)
    assert time.monotonic() - start < 30.0
    assert str(path) in str(error.value)
    return str(error.value)


@pytest.mark.parametrize("name", FORMATS.values(), ids=FORMATS)
def test_code_is_not_run(name, tmp_path):
    mark = tmp_path / "mark"
    function = eval(
        f"lambda x: (__import__('os').makedirs({str(mark)!r}, exist_ok=True), x)[1]"
    )
    path = save(network_of(layers.Lambda(function), (3,)), tmp_path / name)
    mark.rmdir()  # left when the model was made
    assert "Python code (a lambda), which is not run" in refusal(path)
    assert not mark.exists()
    if path.suffix == ".h5":  # Keras would run it
        tf.keras.models.load_model(path, compile=False)
        assert mark.exists()


def test_code_in_an_h5_that_is_called_keras(tmp_path):
    path = save(network_of(layers.Lambda(lambda x: x), (3,)), tmp_path / "model.h5")
    assert "Python code" in refusal(path.rename(tmp_path / "model.keras"))


@pytest.fixture
def dense_h5(tmp_path):
    """A file, and what changes the configuration of its dense layer."""
    model = network_of(layers.Dense(2, name="dense"), (3,))
    path = save(model, tmp_path / "model.h5")

    def changed(**fields):
        with h5py.File(path, "r+") as file:
            config = json.loads(file.attrs["model_config"])
            dense = config["config"]["layers"][1]
            for name, value in fields.items():
                (dense if name in dense else dense["config"])[name] = value
            file.attrs["model_config"] = json.dumps(config)
        return path

    return changed


def function(name, module):
    return {"class_name": "function", "config": name, "module": module}


def operator(name):
    return {"class_name": "TFOpLambda", "config": {"name": "x", "function": name}}


def other(name, module=None):
    config = {"args": ["touch", "mark"]}
    return {"class_name": name, "config": config, "module": module}


@pytest.mark.parametrize(
    "fields, words",
    [
        ({"activation": function("system", "os")}, "function os.system"),
        ({"activation": function("get_file", "keras.utils")}, "keras.utils.get_file"),
        ({"activation": other("Popen", "subprocess")}, "a Popen, which is no class"),
        ({"kernel_initializer": other("Zeros", "os")}, "of the package os"),
        ({"kernel_constraint": other("__lambda__")}, "Python code"),
        (operator("io.write_file"), "io.write_file, which is not known"),
        (operator("io.gfile.rmtree"), "io.gfile.rmtree, which is not known"),
        (operator("keras.models.load_model"), "keras.models.load_model, which"),
        (operator("py_function"), "py_function, which is not known"),
        (operator(None), "None, which is not known"),
        ({"class_name": "StringLookup"}, "StringLookup layer, which reads files"),
        ({"class_name": "TensorFlowOpLayer"}, "no class of Keras or Larq"),
        ({"class_name": 3}, "names 3 for a class"),
        ({"units": 10**6}, "more weights than the file"),
        ({"units": 10**12}, "more weights than the file"),
        ({"units": -1}, "is damaged"),
        ({"units": "many"}, "is damaged"),
        ({"inbound_nodes": [[["dense", 0, 0, {}]]]}, "read what no layer computes"),
        ({"inbound_nodes": [[["none", 0, 0, {}]]]}, "read what no layer computes"),
        ({"inbound_nodes": [[["dense", "x", 0]]]}, "read what no layer computes"),
        ({"inbound_nodes": 7}, "of another form"),
    ],
)
def test_hostile_configurations(dense_h5, fields, words):
    assert words in refusal(dense_h5(**fields))


@pytest.mark.parametrize(
    "text, words",
    [
        ("{", "not JSON"),
        ("[" * 10**5, "not JSON"),
        ("[1, 2]", "not that of a model"),
        ('{"class_name": "Dense", "config": {"units": 1}}', "a Dense, no model"),
        ('{"class_name": "Functional", "config": {}}', "is damaged"),
    ],
)
def test_what_is_no_configuration(tmp_path, text, words):
    path = save(network_of(layers.Dense(2), (3,)), tmp_path / "model.h5")
    with h5py.File(path, "r+") as file:
        file.attrs["model_config"] = (
            np.bytes_(text) if len(text) < 10**4 else text[:60000]
        )
    assert words in refusal(path)


def test_activations_that_fill_the_memory(tmp_path):
    path = save(network_of(layers.UpSampling2D(10**4), (8, 8, 3)), tmp_path / "m.h5")
    assert "computes 19,200,000,000 numbers" in refusal(path)


def external_link(file):
    del file["model_weights"]["dense"]
    file["model_weights"]["dense"] = h5py.ExternalLink("/other.h5", "/secret")


def soft_link(file):
    file["model_weights"]["again"] = h5py.SoftLink("/model_weights")


def external_numbers(file):
    file.create_dataset("x", (4,), "u1", external=[("/etc/passwd", 0, 4)])


def virtual_numbers(file):
    layout = h5py.VirtualLayout((4,), "f4")
    layout[:] = h5py.VirtualSource("/other.h5", "secret", (4,))
    file.create_virtual_dataset("x", layout)


def huge_numbers(file):
    file.create_dataset("x", (10**6, 10**6), "f4")


def huge_compressed_numbers(file):
    file.create_dataset("x", (10**6, 10**3), "f4", chunks=True, compression="gzip")


def no_weights(file):
    del file["model_weights"]


def no_model(file):
    del file.attrs["model_config"]


@pytest.mark.parametrize(
    "change, words",
    [
        (external_link, "'model_weights/dense' leads elsewhere"),
        (soft_link, "'model_weights/again' leads elsewhere"),
        (external_numbers, "'x' keeps its numbers elsewhere"),
        (virtual_numbers, "'x' keeps its numbers elsewhere"),
        (huge_numbers, "claims to hold 4,000,000,000,"),
        (huge_compressed_numbers, "claims to hold 4,000,0"),
        (no_weights, "is damaged"),
        (no_model, "as files of weights do not"),
    ],
)
def test_hostile_hdf5(tmp_path, change, words):
    path = save(network_of(layers.Dense(2, name="dense"), (3,)), tmp_path / "m.h5")
    with h5py.File(path, "r+") as file:
        change(file)
    assert words in refusal(path)


@pytest.fixture
def archive(tmp_path):
    """What writes a .keras file with other members."""
    saved = save(network_of(layers.Dense(2), (3,)), tmp_path / "right.keras")

    def written(compression=zipfile.ZIP_STORED, **members):
        path = tmp_path / "model.keras"
        with (
            zipfile.ZipFile(saved) as source,
            zipfile.ZipFile(path, "w", compression) as target,
        ):
            for name in source.namelist():
                content = members.get(name.split(".")[0], source.read(name))
                if content is not None:
                    target.writestr(name, content)
        return path

    return written


def test_a_compressed_archive_is_fine(archive):
    path = archive(zipfile.ZIP_DEFLATED)
    assert len(load_saved_model(path).weights) == 2


@pytest.mark.parametrize(
    "members, words",
    [
        (
            {"model": bytes(10**8), "compression": zipfile.ZIP_DEFLATED},
            "claims to hold",
        ),
        ({"model": b"no weights"}, "is damaged"),
        ({"model": None}, "is damaged"),
        ({"config": None}, "is damaged"),
        ({"config": b"{}"}, "not that of a model"),
        ({"metadata": b'{"keras_version": "3.5.0"}'}, "Keras 3.5.0 has written it"),
        ({"metadata": b"[]"}, "is damaged"),
    ],
)
def test_hostile_archives(archive, members, words):
    assert words in refusal(archive(**members))


def test_other_files(tmp_path):
    path = tmp_path / "model.keras"
    for content in (b"", b"a poem", b"PK\x03\x04", b"\x89HDF\r\n\x1a\n"):
        path.write_bytes(content)
        refusal(path)


def test_a_saved_model_of_others(tmp_path):
    model = network_of(layers.Dense(2), (3,))
    tf.saved_model.save(model, str(tmp_path / "plain"))
    reason = refusal(tmp_path / "plain")
    assert "a SavedModel that Keras did not write" in reason
    assert "model.save" in reason


@pytest.mark.parametrize(
    "damage, words",
    [
        ("saved_model.pb", "no SavedModel"),
        ("keras_metadata.pb", "Keras did not write"),
        ("variables", "is damaged"),
    ],
)
def test_parts_of_a_saved_model(tmp_path, damage, words):
    path = save(network_of(layers.Dense(2), (3,)), tmp_path / "model")
    missing = path / damage
    shutil.rmtree(missing) if missing.is_dir() else missing.unlink()
    assert words in refusal(path)


def test_a_cut_off_checkpoint(tmp_path):
    path = save(network_of(layers.Dense(600), (600,)), tmp_path / "model")
    (data,) = (path / "variables").glob("*.data-*")
    data.write_bytes(data.read_bytes()[:1000])
    assert "claims to hold" in refusal(path)
