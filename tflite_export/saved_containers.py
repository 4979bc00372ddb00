"""Model files of Keras 2: what is in them, read without trust.

Of .h5, .keras and SavedModel only two things are taken: the configuration, which has to
pass `saved_config`, and the numbers of the weights. Functions and operators that a
SavedModel brings along are not loaded, as they could read and write files. This is to
run in a process of its own: HDF5 and TensorFlow's checkpoints are read by native code.
"""

import json
import math
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import tensorflow as tf
from tf_keras.protobuf import saved_metadata_pb2

import larq_irnet  # noqa: F401  (registers its layers and quantizers)
from larq_irnet.quantized_scope import quantized_scope
from tflite_export.layer_walk import all_layers
from tflite_export.model_file_error import ModelFileError
from tflite_export.saved_config import parse_config
from tflite_export.stored_numbers import (
    check_inflation,
    elements_of_checkpoint,
    elements_of_hdf5,
)

__all__ = ["SavedModel", "load_saved_model"]

_HDF5 = b"\x89HDF\r\n\x1a\n"
_ZIP = b"PK\x03\x04"
_FREE_ELEMENTS = 2**16  # variables that are not saved: counters, seeds
_MOST_ACTIVATIONS = 2**28  # numbers of one layer for one sample: 1 GiB


@dataclass(frozen=True)
class SavedModel:
    """What was read from a file.

    # Attributes
        config: The configuration that the model was built from, as JSON.
        weights: Its latent weights, in the order of `get_weights`.
    """

    config: str
    weights: list[np.ndarray]


@dataclass(frozen=True)
class _Contents:
    """What a file holds.

    # Attributes
        config: JSON.
        weights: What `load_weights` reads.
        elements: How many numbers are stored there.
    """

    config: str | bytes
    weights: Path
    elements: int


def load_saved_model(path: Path) -> SavedModel:
    """Reads a model of Keras, Larq and larq_irnet layers.

    # Arguments
        path: An .h5 or .keras file, or the folder of a SavedModel.

    # Raises
        ModelFileError: if it is damaged, hostile or something else.
    """
    with tempfile.TemporaryDirectory() as folder:
        try:
            contents = _opened(path, Path(folder))
            config = json.dumps(parse_config(contents.config))
            model = _built(config, contents.elements)
            _load_weights(model, contents.weights)
            with quantized_scope(False):
                return SavedModel(config, model.get_weights())
        except ModelFileError as error:
            raise ModelFileError(f"Cannot read {path}: {error}") from error
        except Exception as error:  # Keras follows the file, wherever that leads
            raise ModelFileError(
                f"Cannot read {path}: it is damaged, or was written by something else "
                f"than Keras 2 ({type(error).__name__}: {_first_line(error)})."
            ) from error


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), "")[:500]


def _opened(path: Path, folder: Path) -> _Contents:
    if path.is_dir():
        return _saved_model(path)
    with path.open("rb") as file:
        start = file.read(len(_HDF5))
    if start == _HDF5:
        return _hdf5(path, folder)
    if start.startswith(_ZIP):
        return _archive(path, folder)
    raise ModelFileError(
        f"expected an .h5 or .keras file, or the folder of a SavedModel, got a file "
        f"that begins with {start!r}."
    )


def _hdf5(path: Path, folder: Path) -> _Contents:
    with h5py.File(path, "r") as file:
        elements = elements_of_hdf5(file, path.stat().st_size)
        config = file.attrs.get("model_config")
    if not isinstance(config, (str, bytes)):
        raise ModelFileError(
            "it holds no configuration of a model, as files of weights do not. Save "
            "the whole model (model.save)."
        )
    weights = path
    if path.suffix not in (".h5", ".hdf5") or path.name.endswith(".weights.h5"):
        weights = folder / "model.h5"  # Keras goes by the name
        shutil.copyfile(path, weights)
    return _Contents(config, weights, elements)


def _archive(path: Path, folder: Path) -> _Contents:
    with zipfile.ZipFile(path) as archive:
        unpacked = sum(entry.file_size for entry in archive.infolist())
        check_inflation(unpacked, path.stat().st_size)
        metadata = json.loads(archive.read("metadata.json"))
        version = str(metadata.get("keras_version", ""))
        if version.startswith("3."):
            raise ModelFileError(
                f"Keras {version} has written it, and Larq needs Keras 2. Build the "
                "model with TF_USE_LEGACY_KERAS=1, and load its weights."
            )
        config = archive.read("config.json")
        weights = folder / "model.weights.h5"
        weights.write_bytes(archive.read(weights.name))
    with h5py.File(weights, "r") as file:
        elements = elements_of_hdf5(file, weights.stat().st_size)
    return _Contents(config, weights, elements)


def _saved_model(path: Path) -> _Contents:
    if not (path / "saved_model.pb").is_file():
        raise ModelFileError("it is a folder without saved_model.pb, no SavedModel.")
    metadata_path = path / "keras_metadata.pb"
    if not metadata_path.is_file():
        raise ModelFileError(
            "it is a SavedModel that Keras did not write (no keras_metadata.pb): what "
            "it computes is known as operators, not as layers. Save the Keras "
            "model itself (model.save), as .keras."
        )
    metadata = saved_metadata_pb2.SavedMetadata.FromString(metadata_path.read_bytes())
    (root,) = (node.metadata for node in metadata.nodes if node.node_path == "root")
    entry = json.loads(root)
    config = json.dumps({key: entry[key] for key in ("class_name", "config")})
    weights = path / "variables" / "variables"
    return _Contents(config, weights, elements_of_checkpoint(weights))


def _built(config: str, stored_elements: int) -> tf.keras.Model:
    """A model that has no more weights than there are numbers for them."""
    with tf.variable_creator_scope(_within(stored_elements + _FREE_ELEMENTS)):
        model = tf.keras.models.model_from_json(config)
    if not isinstance(model, tf.keras.Model):
        raise ModelFileError(f"it holds a {type(model).__name__}, no model.")
    for layer, size in _activations(model):
        if size > _MOST_ACTIVATIONS:
            raise ModelFileError(
                f"its layer {layer!r} computes {size:,} numbers for each sample."
            )
    return model


def _within(elements: int) -> Callable[..., tf.Variable]:
    """Makes variables as long as they have no more elements than that in all."""
    left = elements

    def create(next_creator: Callable[..., tf.Variable], **arguments: Any) -> Any:
        nonlocal left
        shape = tf.TensorShape(arguments.get("shape"))
        left -= shape.num_elements() or 0
        if left < 0:
            raise ModelFileError(
                f"its configuration has more weights than the file: one of {shape}."
            )
        return next_creator(**arguments)

    return create


def _activations(model: tf.keras.Model) -> Iterator[tuple[str, int]]:
    """The size of each output of each layer for one sample."""
    for layer in all_layers(model):
        for node in range(len(layer.inbound_nodes)):
            for output in tf.nest.flatten(layer.get_output_at(node)):
                sizes = [size or 1 for size in output.shape[1:]]
                yield layer.name, math.prod(sizes)


def _load_weights(model: tf.keras.Model, weights: Path) -> None:
    with quantized_scope(False):
        status = model.load_weights(str(weights))
        if status is not None:  # of a checkpoint
            status.assert_existing_objects_matched()
