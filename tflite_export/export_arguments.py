"""What an export is asked for, checked before the work begins."""

import os
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf

from tflite_export.inference_function import check_is_functional
from tflite_export.layer_walk import all_layers

__all__ = [
    "as_arrays",
    "calibration_arrays",
    "as_labels",
    "check_model",
    "check_path",
]

_SCOPE_NAME = re.compile(r"[A-Za-z0-9.][A-Za-z0-9_.\\/>-]*")


def check_model(model: tf.keras.Model) -> None:
    """Raises a `ValueError` for models of another kind, size or names than needed."""
    check_is_functional(model)
    shapes = [tuple(tensor.shape[1:]) for tensor in model.inputs]
    if any(None in shape for shape in shapes):
        raise ValueError(
            f"Expected inputs of fixed size, got {shapes}. Build the model with the "
            "size that it is to be deployed with."
        )
    names = [layer.name for layer in all_layers(model)]
    invalid = [name for name in names if not _SCOPE_NAME.fullmatch(name)]
    if invalid:
        raise ValueError(
            f"Expected layer names of letters, digits and _.-/, got {invalid}."
        )


def check_path(path: Path) -> None:
    """Raises a `ValueError` for a place that no file can be written to."""
    if not path.parent.is_dir():
        raise ValueError(f"Expected an existing folder for {path}, found none.")
    if path.is_dir():
        raise ValueError(f"Expected a file name, got the folder {path}.")
    if not os.access(path.parent, os.W_OK):
        raise ValueError(f"Expected a folder that can be written, got {path.parent}.")


def as_arrays(
    model: tf.keras.Model,
    argument: str,
    samples: np.ndarray | Sequence[np.ndarray] | None,
) -> list[np.ndarray] | None:
    """Inputs as one array for each input of a model, in its types.

    # Arguments
        model: The model.
        argument: What the inputs were given as, for the error.
        samples: One array [N, ...] or several; `None` for none.

    # Raises
        ValueError: for other shapes than the model has, and for no samples.
    """
    if samples is None:
        return None
    arrays = list(samples) if isinstance(samples, (list, tuple)) else [samples]
    shapes = [np.shape(array)[1:] for array in arrays]
    expected = [tuple(tensor.shape[1:]) for tensor in model.inputs]
    if shapes != expected or not all(len(array) for array in arrays):
        raise ValueError(
            f"Expected {argument} of shape {expected}, one array per input with at "
            f"least one sample each, got {shapes}."
        )
    return [
        np.asarray(array, dtype=tensor.dtype.as_numpy_dtype)
        for array, tensor in zip(arrays, model.inputs)
    ]


def calibration_arrays(
    model: tf.keras.Model,
    int8: bool | None,
    data: np.ndarray | Sequence[np.ndarray] | None,
) -> list[np.ndarray] | None:
    """What to measure ranges on; `None` for an export in float.

    # Arguments
        model: The model.
        int8: As for `tflite_export.export`.
        data: Inputs as for `tflite_export.export`.

    # Raises
        ValueError: if the two contradict each other, or the inputs do not fit.
    """
    if int8 and data is None:
        raise ValueError(
            "Expected calibration_data with int8=True, got none: ranges of activations "
            "are measured on real inputs. Give some hundred, normalised as in training."
        )
    if int8 is False and data is not None:
        raise ValueError("Expected no calibration_data with int8=False, got some.")
    return as_arrays(model, "calibration_data", data)


def as_labels(
    labels: np.ndarray | None, inputs: Sequence[np.ndarray] | None
) -> np.ndarray | None:
    """Labels [N] of the samples, also out of [N, 1], as Keras' data sets have them.

    # Raises
        ValueError: unless there is one label for each sample, or none at all.
    """
    if labels is None:
        return None
    samples = 0 if inputs is None else len(inputs[0])
    if np.shape(labels) not in ((samples,), (samples, 1)):
        raise ValueError(
            f"Expected one label for each of the {samples} samples, got shape "
            f"{np.shape(labels)}."
        )
    return np.reshape(labels, samples)
