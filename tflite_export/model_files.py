"""Models from files of others: .h5, .keras, and SavedModels that Keras has written.

A file is read in a process of its own, with limits of time and memory; only the checked
configuration and the numbers come back. So a damaged file cannot crash or hang this
process, and code in it is not run. The other process is no prison, though: it has your
rights, and what a flaw of HDF5 or TensorFlow allows, it allows there.
"""

import os
import sys
import tempfile
from pathlib import Path

import numpy as np
import tensorflow as tf

from larq_irnet.quantized_scope import quantized_scope
from tflite_export.limited_process import ProcessError, run_limited
from tflite_export.model_file_error import ModelFileError

__all__ = ["ModelFileError", "read_model_file"]

_WORKER = "tflite_export.model_file_worker"


def read_model_file(
    path: str | os.PathLike[str],
    *,
    timeout: float = 180.0,
    memory_limit: int | None = None,
) -> tf.keras.Model:
    """Loads a model, not compiled, from a file that is not trusted.

    # Arguments
        path: An .h5 or .keras file, or the folder of a SavedModel, written by Keras 2,
            with layers of Keras and Larq, and those that modules which are imported
            here have registered with Keras.
        timeout: Seconds that the reading may take; HDF5 hangs on some damaged files.
        memory_limit: Bytes of address space that the reading may take, on Linux;
            `None` for the memory of this machine, at least 16 GiB.

    # Raises
        ModelFileError: if the file is damaged, hostile or something else; names the
            file and the reason.
    """
    path = Path(path)
    if not path.exists():
        raise ModelFileError(f"Expected a model file, found none at {path}.")
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", _WORKER, str(path), folder, *_registering()]
        try:
            run_limited(command, timeout=timeout, memory_limit=memory_limit)
        except ProcessError as error:
            raise ModelFileError(
                f"Cannot read {path}: the process that reads it {error}"
            ) from error
        return _model_of(Path(folder))


def _registering() -> list[str]:
    """The modules that have registered layers and the like with Keras."""
    registered = tf.keras.utils.get_custom_objects().values()
    return sorted({str(one.__module__) for one in registered} - {"__main__"})


def _model_of(folder: Path) -> tf.keras.Model:
    refusal = folder / "refusal.txt"
    if refusal.exists():
        raise ModelFileError(refusal.read_text(encoding="utf-8"))
    config = (folder / "config.json").read_text(encoding="utf-8")
    model = tf.keras.models.model_from_json(config)
    with np.load(folder / "weights.npz", allow_pickle=False) as arrays:
        with quantized_scope(False):
            model.set_weights([*arrays.values()])
    return model
