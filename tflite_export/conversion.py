"""Keras model to flatbuffer, in a process of its own.

The converters are native code that can crash or hang on a bad model. Here that becomes
an `ExportError` with the converter's own words.
"""

import contextlib
import io
import re
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import tensorflow as tf

from larq_irnet.quantized_scope import quantized_scope
from tflite_export.findings import ExportError, Finding

__all__ = ["convert"]

_WORKER = Path(__file__).with_name("conversion_worker")
_NOISE = re.compile(
    r"([IW]\d{4}|\d{4}-\d\d-\d\d|WARNING|Traceback|File \"|\^+$|raise )"
)
_LAST_LINES = 8


def convert(
    model: tf.keras.Model, *, converter: str = "lce", timeout: float = 600.0
) -> bytes:
    """Converts a model for inference with a batch of one.

    # Arguments
        model: A built Keras model in float32, any number of inputs and outputs.
        converter: "lce" for Larq Compute Engine, "tflite" for TensorFlow Lite.
        timeout: Seconds after which the converter is stopped.

    # Returns
        The flatbuffer. Its inputs are named input_0, input_1, ..., its outputs
        output_0, output_1, ...

    # Raises
        ExportError: if the converter fails, crashes or takes too long.
    """
    if converter not in ("lce", "tflite"):
        raise ValueError(
            f"Expected `converter` to be 'lce' or 'tflite', got {converter!r}."
        )
    with tempfile.TemporaryDirectory() as folder:
        saved_model, output = str(Path(folder, "model")), Path(folder, "model.tflite")
        _save(model, saved_model)
        command = [sys.executable, str(_WORKER), converter, saved_model, str(output)]
        try:
            worker = subprocess.run(
                command,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=timeout,
            )
        except subprocess.TimeoutExpired as error:
            raise _failure(
                model,
                f"the converter did not end within {timeout:g} s.",
                "give it more time, or convert parts of the model to find the culprit.",
            ) from error
        if worker.returncode != 0 or not output.exists():
            raise _failure(
                model,
                f"the converter {_ending(worker.returncode)}: "
                f"{_last_words(worker.stderr)}",
                "convert parts of the model to find the layer that it stumbles over.",
            )
        return output.read_bytes()


def _save(model: tf.keras.Model, path: str) -> None:
    specs = [
        tf.TensorSpec((1, *tensor.shape[1:]), tensor.dtype, name=f"input_{index}")
        for index, tensor in enumerate(model.inputs)
    ]

    def serve(*inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        structure = tf.nest.pack_sequence_as(model.input, inputs)
        outputs = tf.nest.flatten(model(structure, training=False))
        return {f"output_{index}": output for index, output in enumerate(outputs)}

    # gradients are not converted, and to trace those of quantizers takes long
    options = tf.saved_model.SaveOptions(experimental_custom_gradients=False)
    archive = tf.keras.export.ExportArchive()
    archive.track(model)
    archive.add_endpoint("serve", serve, input_signature=specs)
    with quantized_scope(False), contextlib.redirect_stdout(io.StringIO()):
        archive.write_out(path, options)  # prints every variable


def _failure(model: tf.keras.Model, reason: str, remedy: str) -> ExportError:
    finding = Finding("error", model.name, reason, remedy)
    return ExportError(f"Cannot convert model '{model.name}'", [finding])


def _ending(return_code: int) -> str:
    if return_code < 0:
        return f"crashed ({signal.Signals(-return_code).name})"
    return f"failed (exit code {return_code})"


def _last_words(stderr: str) -> str:
    lines = [line.strip() for line in stderr.splitlines()]
    telling = [line for line in lines if line and not _NOISE.match(line)]
    return " | ".join(telling[-_LAST_LINES:]) or "it said nothing."
