"""The contract: lint, rewrite, convert, verify, report, or say exactly why not."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from larq_irnet.atomic_path import atomic_path
from tflite_export.benchmarking import Candidate, Latency, measure_latency
from tflite_export.binary_layers import find_binary_layers, left_float
from tflite_export.calibration import Calibration
from tflite_export.conversion import convert
from tflite_export.export_arguments import (
    as_arrays,
    as_labels,
    calibration_arrays,
    check_model,
    check_path,
)
from tflite_export.fake_quantization import with_fake_quantization
from tflite_export.findings import ExportError, Finding
from tflite_export.flatbuffer import Flatbuffer
from tflite_export.float32_policy import float32_policy
from tflite_export.float_between_int8 import float_between_int8
from tflite_export.float_binary_outputs import round_after_zero_padding
from tflite_export.half_precision import store_in_float16
from tflite_export.int8_rewrites import without_float_operators
from tflite_export.interpreting import FAST_KERNEL, KERNELS
from tflite_export.layer_outcomes import layer_outcomes
from tflite_export.lint import lint
from tflite_export.model_files import read_model_file
from tflite_export.operator_labels import operator_labels
from tflite_export.operator_latency import OperatorLatency
from tflite_export.operator_profiling import measure_operators
from tflite_export.packed_weights import pack_binary_weights
from tflite_export.report import Report, machine, summarize_operators, versions
from tflite_export.rewrite_verification import changed_by_rewrites
from tflite_export.rewrites import Rewrite, in_float32, rewrite_layers
from tflite_export.slimming import slimmed
from tflite_export.twins import convert_twins
from tflite_export.verification import (
    FLOAT16_TOLERANCE,
    FLOAT32_TOLERANCE,
    random_samples,
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


_RUNS_PER_ROUND = 4  # of ten rounds
_WITHOUT_INT8 = f"without int8, LCE {FAST_KERNEL} kernel"


def _stop_at_errors(name: str, findings: Sequence[Finding], strict: bool) -> None:
    errors = [finding for finding in findings if finding.severity == "error"]
    if strict and errors:
        raise ExportError(f"Cannot export model '{name}'", errors)


@dataclass(frozen=True)
class _Converted:
    """A flatbuffer, and which of its constants are stored in fewer bits than usual."""

    content: bytes
    packed: Sequence[str]
    halved: Sequence[str]


def _convert(
    model: tf.keras.Model, *, float16: bool, pack_weights: bool, **options: Any
) -> _Converted:
    content = round_after_zero_padding(convert(model, **options))
    content, packed = pack_binary_weights(content) if pack_weights else (content, [])
    content, halved = store_in_float16(content) if float16 else (content, [])
    return _Converted(content, packed, halved)


@dataclass(frozen=True)
class _Measured:
    """Latencies of a model with each kernel, of its twins, and of its operators."""

    model: Sequence[Latency] = ()
    twins: Sequence[Latency] = ()
    operators: Sequence[OperatorLatency] = ()


def _measure(
    flatbuffer: Flatbuffer,
    content: bytes,
    others: Mapping[str, bytes],
    labels: Sequence[str],
) -> _Measured:
    candidates = {
        f"binary, LCE {kernel} kernel": Candidate(content, options)
        for kernel, options in KERNELS.items()
    }
    candidates[f"binary, LCE {FAST_KERNEL} kernel, XNNPACK"] = Candidate(
        content, {**KERNELS[FAST_KERNEL], "use_xnnpack": True}
    )
    own = len(candidates)
    for name, other in others.items():
        is_binary = name == _WITHOUT_INT8
        options = KERNELS[FAST_KERNEL] if is_binary else {"use_xnnpack": True}
        candidates[name] = Candidate(other, options)
    measured = measure_latency(candidates, runs_per_round=_RUNS_PER_ROUND)
    return _Measured(
        model=measured[:own],
        twins=measured[own:],
        operators=measure_operators(flatbuffer, labels, **KERNELS[FAST_KERNEL]),
    )


def _copy(model: tf.keras.Model) -> tf.keras.Model:
    # A short name: the converter cuts off long ones, and verification goes by them.
    return in_float32(model, name="m")


@float32_policy()
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
    check_model(model)
    return rewrite_layers(_copy(model))


@float32_policy()
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
        labels: Classes [N] or [N, 1] of the samples, for the accuracy.
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
    check_path(path)
    limits: dict[str, Any] = {"timeout": timeout, "memory_limit": memory_limit}
    if isinstance(model, (str, os.PathLike)):
        model = read_model_file(model, memory_limit=memory_limit)
    check_model(model)
    original, unchanged = model, _copy(model)
    model, rewrites = rewrite_layers(unchanged)
    name = original.name
    given = as_arrays(model, "samples", samples)
    labels = as_labels(labels, given)
    inputs = random_samples(model) if given is None else given
    ranges_from = calibration_arrays(model, int8, calibration_data)
    if int8_edges and ranges_from is None:
        raise ValueError(
            "Expected int8_edges=True with int8=True only, got int8=False."
        )
    if isinstance(calibration, str):
        calibration = Calibration(calibration)
    findings = lint(model)
    _stop_at_errors(name, findings, strict)

    prepared = reference = model
    if ranges_from is not None:
        prepared = without_float_operators(model)
        reference = with_fake_quantization(prepared, ranges_from, calibration)
    converted = _convert(
        reference,
        int8_edges=int8_edges,
        float16=float16,
        pack_weights=pack_weights,
        **limits,
    )
    flatbuffer, content = Flatbuffer(converted.content), slimmed(converted.content)
    layers = find_binary_layers(model, flatbuffer)
    verification = verify(
        reference,
        flatbuffer,
        samples=given,
        labels=labels,
        original=unchanged,
        deployed=Flatbuffer(content),
        tolerance=FLOAT16_TOLERANCE if converted.halved else FLOAT32_TOLERANCE,
    )
    findings += [
        *left_float(layers),
        *changed_by_rewrites(unchanged, prepared, rewrites, inputs),
        *verification.findings(),
    ]
    if ranges_from is not None:
        labels_of = operator_labels(reference, flatbuffer)
        findings += float_between_int8(flatbuffer, labels_of)
    _stop_at_errors(name, findings, strict)

    measured = _Measured()
    if benchmark:
        others = convert_twins(unchanged, ranges_from, calibration, **limits)
        if ranges_from is not None:
            others[_WITHOUT_INT8] = slimmed(
                _convert(
                    model, float16=float16, pack_weights=pack_weights, **limits
                ).content
            )
        names = operator_labels(reference, flatbuffer)
        measured = _measure(flatbuffer, content, others, names)
    report = Report(
        model=name,
        model_bytes=len(content),
        findings=tuple(findings),
        rewrites=tuple(rewrites),
        layers=tuple(
            layer_outcomes(
                original,
                flatbuffer,
                converted=reference,
                binary_layers=layers,
                rewrites=rewrites,
                findings=findings,
            )
        ),
        binary_layers=tuple(layers),
        operators=tuple(summarize_operators(flatbuffer)),
        verification=verification,
        int8=None if ranges_from is None else calibration,
        calibration_samples=0 if ranges_from is None else len(ranges_from[0]),
        packed_kernels=tuple(converted.packed),
        float16_constants=tuple(converted.halved),
        latencies=tuple(measured.model),
        twins=tuple(measured.twins),
        operator_latencies=tuple(measured.operators),
        versions=versions(),
        machine=machine(),
    )
    with atomic_path(path) as partial:
        partial.write_bytes(content)
    return ExportResult(content, report)
