"""Keras model to flatbuffer, in a process of its own.

The converters are native code that can crash or hang on a bad model. Here that becomes
an `ExportError` with the converter's own words.
"""

import contextlib
import io
import logging
import re
import sys
import tempfile
from pathlib import Path

import tensorflow as tf

from larq_irnet.quantized_scope import quantized_scope
from tflite_export.findings import ExportError, Finding
from tflite_export.inference_function import inference_function
from tflite_export.limited_process import ProcessError, run_limited

__all__ = ["convert"]

_LOGGER = logging.getLogger(__name__)
_WORKER = Path(__file__).with_name("conversion_worker")
_FALLBACK = re.compile(
    r"Warning:(?! All log messages before)|^Custom ops:|^Flex ops:|fall(ing)? ?back",
    re.IGNORECASE,
)


def convert(
    model: tf.keras.Model,
    *,
    converter: str = "lce",
    int8_edges: bool = False,
    timeout: float = 600.0,
    memory_limit: int | None = None,
) -> bytes:
    """Converts a model for inference with a batch of one.

    # Arguments
        model: A built Keras model in float32, any number of inputs and outputs.
        converter: "lce" for Larq Compute Engine, "tflite" for TensorFlow Lite.
        int8_edges: Whether inputs and outputs that are int8 within are so outside,
            from Larq Compute Engine only.
        timeout: Seconds after which the converter is stopped.
        memory_limit: Bytes of address space that the converter may have, on Linux;
            `None` for the memory of this machine, at least 16 GiB. TensorFlow alone
            takes about 3 GiB.

    # Returns
        The flatbuffer. Its inputs are named input_0, input_1, ..., its outputs
        output_0, output_1, ...

    # Raises
        ExportError: if the converter fails, crashes, takes too long or too much memory.
    """
    if converter not in ("lce", "tflite"):
        raise ValueError(
            f"Expected `converter` to be 'lce' or 'tflite', got {converter!r}."
        )
    with tempfile.TemporaryDirectory() as folder:
        saved_model, output = str(Path(folder, "model")), Path(folder, "model.tflite")
        _save(model, saved_model)
        edges = "int8" if int8_edges else "float32"
        command = [sys.executable, str(_WORKER), converter, edges, saved_model]
        command.append(str(output))
        try:
            words = run_limited(command, timeout=timeout, memory_limit=memory_limit)
            content = output.read_bytes()
        except ProcessError as error:
            remedy = error.remedy or "convert parts of the model to find the culprit"
            raise _failure(model, str(error), f"{remedy}.") from error
        except FileNotFoundError as error:
            raise _failure(
                model,
                "ended without a result, and said nothing.",
                "convert parts of the model to find the layer that it stumbles over.",
            ) from error
    _pass_on_warnings(model, words)
    return content


def _pass_on_warnings(model: tf.keras.Model, words: str) -> None:
    """Logs what tells that the converter did something else than it was asked for."""
    for line in words.splitlines():
        if _FALLBACK.search(line):
            _LOGGER.warning("%s: the converter says: %s", model.name, line.strip())


def _save(model: tf.keras.Model, path: str) -> None:
    serve, specs = inference_function(model)
    archive = tf.keras.export.ExportArchive()
    archive.track(model)
    archive.add_endpoint("serve", serve, input_signature=specs)
    # gradients would take a third of the time, and no converter reads them
    options = tf.saved_model.SaveOptions(experimental_custom_gradients=False)
    with quantized_scope(False), contextlib.redirect_stdout(io.StringIO()):
        archive.write_out(path, options)  # prints every variable


def _failure(model: tf.keras.Model, reason: str, remedy: str) -> ExportError:
    finding = Finding("error", model.name, f"the converter {reason}", remedy)
    return ExportError(f"Cannot convert model '{model.name}'", [finding])
