"""The contract: lint, rewrite, convert, verify, report, or say exactly why not."""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tensorflow as tf

from larq_irnet.atomic_path import atomic_path
from tflite_export.benchmarking import Candidate, Latency, measure_latency
from tflite_export.binary_layers import find_binary_layers, left_float
from tflite_export.calibration import Calibration
from tflite_export.conversion import convert
from tflite_export.fake_quantization import with_fake_quantization
from tflite_export.findings import ExportError, Finding
from tflite_export.flatbuffer import Flatbuffer
from tflite_export.float_binary_outputs import round_after_zero_padding
from tflite_export.float_twin import float_twin
from tflite_export.half_precision import store_in_float16
from tflite_export.inference_function import check_is_functional
from tflite_export.int8_rewrites import without_float_operators
from tflite_export.interpreting import KERNELS
from tflite_export.layer_walk import all_layers
from tflite_export.lint import lint
from tflite_export.model_files import read_model_file
from tflite_export.packed_weights import pack_binary_weights
from tflite_export.report import Report, machine, summarize_operators, versions
from tflite_export.rewrites import Rewrite, in_float32, rewrite_layers
from tflite_export.slimming import slimmed
from tflite_export.verification import (
    FLOAT16_TOLERANCE,
    FLOAT32_TOLERANCE,
    verify,
)

__all__ = ["ExportResult", "as_converted", "export"]


@dataclass(frozen=True)
class ExportResult:
    """A verified model and its report.

    # Attributes
        flatbuffer: The bytes of the .tflite.
        report: What was done, compared and measured.
    """

    flatbuffer: bytes
    report: Report


_SCOPE_NAME = re.compile(r"[A-Za-z0-9.][A-Za-z0-9_.\\/>-]*")


def _check_model(model: tf.keras.Model) -> None:
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


def _check_path(path: Path) -> None:
    if not path.parent.is_dir():
        raise ValueError(f"Expected an existing folder for {path}, found none.")
    if path.is_dir():
        raise ValueError(f"Expected a file name, got the folder {path}.")
    if not os.access(path.parent, os.W_OK):
        raise ValueError(f"Expected a folder that can be written, got {path.parent}.")


def _as_list(
    model: tf.keras.Model,
    argument: str,
    samples: np.ndarray | Sequence[np.ndarray] | None,
) -> list[np.ndarray] | None:
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


def _calibration_arrays(
    model: tf.keras.Model,
    int8: bool | None,
    data: np.ndarray | Sequence[np.ndarray] | None,
) -> list[np.ndarray] | None:
    """What to measure ranges on; `None` for an export in float."""
    if int8 and data is None:
        raise ValueError(
            "Expected calibration_data with int8=True, got none: ranges of activations "
            "are measured on real inputs. Give some hundred, normalised as in training."
        )
    if int8 is False and data is not None:
        raise ValueError("Expected no calibration_data with int8=False, got some.")
    return _as_list(model, "calibration_data", data)


def _check_labels(
    labels: np.ndarray | None, inputs: Sequence[np.ndarray] | None
) -> None:
    if labels is None:
        return
    samples = 0 if inputs is None else len(inputs[0])
    if np.shape(labels) != (samples,):
        raise ValueError(
            f"Expected one label for each of the {samples} samples, got shape "
            f"{np.shape(labels)}."
        )


def _stop_at_errors(name: str, findings: Sequence[Finding], strict: bool) -> None:
    errors = [finding for finding in findings if finding.severity == "error"]
    if strict and errors:
        raise ExportError(f"Cannot export model '{name}'", errors)


def _convert_twin(
    model: tf.keras.Model, timeout: float, memory_limit: int | None
) -> bytes:
    try:
        return convert(
            float_twin(model),
            converter="tflite",
            timeout=timeout,
            memory_limit=memory_limit,
        )
    except ExportError as error:
        raise ExportError(
            f"Cannot convert the float twin of '{model.name}' to measure against; "
            "benchmark=False leaves it out",
            error.findings,
        ) from error


def _measure(content: bytes, twin: bytes) -> list[Latency]:
    candidates = {
        f"binary, LCE {kernel} kernel": Candidate(content, options)
        for kernel, options in KERNELS.items()
    }
    candidates["float twin, XNNPACK"] = Candidate(twin, {"use_xnnpack": True})
    return measure_latency(candidates)


def as_converted(model: tf.keras.Model) -> tuple[tf.keras.Model, list[Rewrite]]:
    """The model that an export lints and converts: in float32, with layers rewritten.

    # Arguments
        model: A built functional or sequential Keras model.

    # Returns
        The model, and what was rewritten.

    # Raises
        ExportError: if a layer cannot be rebuilt from its configuration.
        ValueError: for other models, inputs that are not of a fixed size, and names
            that TensorFlow cannot use.
    """
    _check_model(model)
    # A short name: the converter cuts off long ones, and verification goes by them.
    return rewrite_layers(in_float32(model, name="m"))


def export(
    model: tf.keras.Model | str | os.PathLike[str],
    path: str | os.PathLike[str],
    *,
    strict: bool = True,
    samples: np.ndarray | Sequence[np.ndarray] | None = None,
    labels: np.ndarray | None = None,
    int8: bool | None = None,
    calibration_data: np.ndarray | Sequence[np.ndarray] | None = None,
    calibration: Calibration | str = "min_max",
    int8_edges: bool = False,
    float16: bool = False,
    pack_weights: bool = True,
    benchmark: bool = True,
    timeout: float = 600.0,
    memory_limit: int | None = None,
) -> ExportResult:
    """Turns a trained Keras model into a verified Larq Compute Engine model.

    Rebuilds the model in float32 if it was trained in mixed precision, rewrites layers
    that Larq Compute Engine has no, a slow or a wrong kernel for, lints what remains,
    converts it in a process of its own, reads the result back, compares it with Keras
    part by part and, with the model that was given, as a whole, and measures it against
    its float twin.

    # Arguments
        model: A built functional or sequential model with a fixed input size, or the
            path of one: .h5, .keras or a SavedModel, as for `read_model_file`.
        path: Where the .tflite is written, whole or not at all.
        strict: Raise if a binary layer would stay float or be computed wrongly; else
            export anyway and leave it to the report.
        samples: Real inputs [N, ...], normalised as in training, or one array for each
            input; verified with. `None` takes a few random ones, which say nothing
            about accuracy.
        labels: Classes [N] of the samples, for the accuracy.
        int8: Whether what is not binary computes in int8; `None` if there is
            `calibration_data`. Agreement and accuracy are still judged by the float
            model.
        calibration_data: Real inputs as for `samples`, a few hundred that are not among
            them, to measure the ranges of activations on.
        calibration: How: "min_max", "percentile", "moving_average", or a
            `Calibration` for their parameters.
        int8_edges: Whether inputs and outputs are int8 as well.
        float16: Whether large float constants are stored in half precision.
        pack_weights: Whether binary kernels of float convolutions, such as those of
            "irnet_w1a32", are stored as bits, and unpacked whenever the model runs.
        benchmark: Whether to build and measure the float twin.
        timeout: Seconds that each conversion may take.
        memory_limit: Bytes of address space that each conversion, and the reading of a
            file, may have, on Linux; `None` for the memory of this machine, at least
            16 GiB.

    # Returns
        The flatbuffer and the report.

    # Raises
        ExportError: with every finding, if `strict` and something is wrong, or if the
            converter fails; nothing is written then.
        ValueError: for a model, path, samples or labels that do not fit; a
            `ModelFileError` for a file that cannot be read.

    # Example
        `result = export(model, "model.tflite", samples=images, labels=labels)`
    """
    path = Path(path)
    _check_path(path)
    if isinstance(model, (str, os.PathLike)):
        model = read_model_file(model, memory_limit=memory_limit)
    original, (model, rewrites) = model, as_converted(model)
    name = original.name
    inputs = _as_list(model, "samples", samples)
    _check_labels(labels, inputs)
    ranges_from = _calibration_arrays(model, int8, calibration_data)
    if int8_edges and ranges_from is None:
        raise ValueError(
            "Expected int8_edges=True with int8=True only, got int8=False."
        )
    if isinstance(calibration, str):
        calibration = Calibration(calibration)
    findings = lint(model)
    _stop_at_errors(name, findings, strict)

    reference = model
    if ranges_from is not None:
        reference = with_fake_quantization(
            without_float_operators(model), ranges_from, calibration
        )
    content = convert(
        reference, int8_edges=int8_edges, timeout=timeout, memory_limit=memory_limit
    )
    if ranges_from is not None:
        content = round_after_zero_padding(content)
    content, packed = pack_binary_weights(content) if pack_weights else (content, [])
    content, halved = store_in_float16(content) if float16 else (content, [])
    flatbuffer, content = Flatbuffer(content), slimmed(content)
    layers = find_binary_layers(model, flatbuffer)
    verification = verify(
        reference,
        flatbuffer,
        samples=inputs,
        labels=labels,
        original=in_float32(original),
        deployed=Flatbuffer(content),
        tolerance=FLOAT16_TOLERANCE if halved else FLOAT32_TOLERANCE,
    )
    findings += left_float(layers) + verification.findings()
    _stop_at_errors(name, findings, strict)

    twin = _convert_twin(model, timeout, memory_limit) if benchmark else None
    report = Report(
        model=name,
        model_bytes=len(content),
        float_bytes=None if twin is None else len(twin),
        findings=tuple(findings),
        rewrites=tuple(rewrites),
        binary_layers=tuple(layers),
        operators=tuple(summarize_operators(flatbuffer)),
        verification=verification,
        int8=None if ranges_from is None else calibration,
        calibration_samples=0 if ranges_from is None else len(ranges_from[0]),
        packed_kernels=tuple(packed),
        float16_constants=tuple(halved),
        latencies=() if twin is None else tuple(_measure(content, twin)),
        versions=versions(),
        machine=machine(),
    )
    with atomic_path(path) as partial:
        partial.write_bytes(content)
    return ExportResult(content, report)
