"""What the command line says about an export."""

from collections.abc import Sequence

import rich.table
import tensorflow as tf

from tflite_export.findings import Finding
from tflite_export.layer_walk import all_layers, kernel_quantizers
from tflite_export.report import Report
from tflite_export.report_page import TrainingRecord

__all__ = ["findings_table", "models_table", "summary"]


def summary(report: Report, model: tf.keras.Model) -> str:
    """What came out, in a few lines.

    # Arguments
        report: Of the export.
        model: The Keras model that was exported.
    """
    binary = sum(bool(layer.operator) for layer in report.binary_layers)
    lines = [
        f"{one.severity}: {one}" for one in report.findings if one.severity == "error"
    ]
    lines.append(
        f"{binary} of {len(report.binary_layers)} binary layers are LceBconv2d."
        if report.binary_layers
        else _nothing_binary(model)
    )
    lines += _stored_smaller(report)
    kind = "test" if report.verification.given else "random"
    for end in report.verification.end_to_end[:1]:
        lines.append(
            f"The .tflite agrees with Keras on {end.agreement or 0.0:.2%} of "
            f"{report.verification.samples} {kind} images."
        )
    return "\n".join(lines)


def models_table(report: Report, record: TrainingRecord) -> rich.table.Table:
    """Accuracy, size and speed of the model, of its twins and of other runs.

    # Arguments
        report: Of the export.
        record: Of the training behind it.
    """
    table = rich.table.Table()
    table.add_column("model", overflow="fold")
    for column in ("test accuracy %", "bytes", "ms per image"):
        table.add_column(column, justify="right", no_wrap=True)
    verification = report.verification
    accuracies: list[tuple[str, float | None]] = [*record.accuracies.items()]
    for name, accuracy in [*accuracies, (record.label, verification.keras_accuracy)]:
        table.add_row(f"{name}, Keras", _percent(accuracy), "-", "-")
    fastest = report.fastest
    table.add_row(
        f"{record.label}, .tflite",
        _percent(
            verification.end_to_end[0].accuracy if verification.end_to_end else None
        ),
        f"{report.model_bytes:,}",
        "-" if fastest is None else f"{fastest.median_ms:.3f}",
    )
    for twin in report.twins:
        table.add_row(
            f"{twin.name}, .tflite",
            "-",
            f"{twin.model_bytes:,}",
            f"{twin.median_ms:.3f}",
        )
    return table


def findings_table(findings: Sequence[Finding]) -> rich.table.Table:
    """All findings, a row each."""
    table = rich.table.Table(show_lines=True)
    for column in ("severity", "layer", "reason", "remedy"):
        table.add_column(column, overflow="fold")
    for one in findings:
        table.add_row(one.severity, one.layer, one.reason, one.remedy)
    return table


def _nothing_binary(model: tf.keras.Model) -> str:
    layers = [layer for layer in all_layers(model) if kernel_quantizers(layer)]
    return (
        "No layer is binary at run time: "
        f"{len(layers)} layers have binary weights and real inputs, which LCE runs "
        "as float."
        if layers
        else "No layer is binary."
    )


def _stored_smaller(report: Report) -> list[str]:
    """What is not float, or not stored so."""
    lines = []
    if report.int8 is not None:
        lines.append(
            "What is not binary computes in int8, with ranges from "
            f"{report.calibration_samples} training images ({report.int8.rule})"
            f"{_accuracy_drop(report)}."
        )
    if report.packed_kernels:
        lines.append(
            f"{len(report.packed_kernels)} kernels of float convolutions are stored as "
            "bits."
        )
    if report.float16_constants:
        lines.append(
            f"{len(report.float16_constants)} constants are stored in half precision."
        )
    return lines


def _accuracy_drop(report: Report) -> str:
    before = report.verification.keras_accuracy
    after = [one.accuracy for one in report.verification.end_to_end]
    if before is None or not after or after[0] is None:
        return ""
    return (
        f": accuracy {before:.2%} in float, {after[0]:.2%} in int8 "
        f"({100 * (after[0] - before):+.2f} points)"
    )


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.2f}"
