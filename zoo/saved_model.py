"""Reads a model that Keras has saved."""

import zipfile
from pathlib import Path

import tensorflow as tf

import larq_irnet  # noqa: F401  (registers the quantizers of saved models)

__all__ = ["read_model"]

# what Keras raises for bytes that are no model, or not all of one
_DAMAGED = (
    OSError,
    ValueError,
    TypeError,
    KeyError,
    NotImplementedError,
    zipfile.BadZipFile,
    tf.errors.OpError,
)


def read_model(path: Path) -> tf.keras.Model:
    """Loads a model, not compiled.

    # Arguments
        path: A file that `Model.save` has written.

    # Raises
        ValueError: if there is none, or it is damaged.
    """
    try:
        return tf.keras.models.load_model(path, compile=False)
    except _DAMAGED as error:
        raise ValueError(f"Cannot read {path}: {error}.") from error
