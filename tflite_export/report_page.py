"""The report as one HTML page that needs nothing but itself."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from larq_irnet.diagnostics import DEAD_TAU, STUCK_THRESHOLD, EpochHistogram
from tflite_export import dead_weight_plots, report_plots
from tflite_export.benchmarking import Latency
from tflite_export.findings import Finding
from tflite_export.operator_latency import by_kind
from tflite_export.page_environment import Plot, kilobytes, page_environment, percent
from tflite_export.report import Report
from tflite_export.report_plots import WeightHistogram

__all__ = ["TrainingRecord", "render_page"]


@dataclass(frozen=True)
class TrainingRecord:
    """What is known of the training of the exported model.

    # Attributes
        title: One line on network, method and dataset.
        history: One row per epoch; see `report_plots.learning_curves`.
        label: Name of the exported model in tables and plots.
        accuracies: Top-1 in [0, 1] on the test images of models to compare with, by
            name.
        weights: Weights of some binary layers.
        monitored: Histories of this run and of those to compare with, by name; those
            without "dead_share" and "stuck_share" are passed over.
        histograms: Latent weights over the epochs of the same runs.
    """

    title: str = ""
    label: str = "Keras"
    history: Sequence[Mapping[str, float]] = ()
    accuracies: Mapping[str, float] = field(default_factory=dict)
    weights: Sequence[WeightHistogram] = ()
    monitored: Mapping[str, Sequence[Mapping[str, float]]] = field(default_factory=dict)
    histograms: Mapping[str, Sequence[EpochHistogram]] = field(default_factory=dict)


def _headlines(report: Report) -> list[tuple[str, str, str]]:
    """The figures at the top: value, name, explanation."""
    binary = sum(bool(layer.operator) for layer in report.binary_layers)
    images = f"{report.verification.samples} images"
    lines = [
        (f"{binary} / {len(report.binary_layers)}", "binary layers", "as LceBconv2d")
    ]
    for end in report.verification.end_to_end[:1]:
        agreement = f"same arg-max, {images}"
        lines.append((percent(end.agreement), "agreement with Keras", agreement))
        if end.accuracy is not None:
            keras = percent(report.verification.keras_accuracy)
            accuracy = f"Keras: {keras}, {images}"
            lines.append((percent(end.accuracy), "accuracy", accuracy))
    lines.append((kilobytes(report.model_bytes), "size", ".tflite"))
    if report.float_bytes is not None:
        ratio = report.float_bytes / report.model_bytes
        lines.append((f"{ratio:.1f}×", "smaller", "than the float twin"))
    if report.int8 is not None:
        explanation = f"{report.int8.rule}, {report.calibration_samples} samples"
        lines.append(("int8", "what is not binary", explanation))
    if report.packed_kernels:
        packed = f"{len(report.packed_kernels)} kernels"
        lines.append((packed, "stored as bits", "of float convolutions"))
    if report.float16_constants:
        halved = f"{len(report.float16_constants)} constants"
        lines.append((halved, "in half precision", "of float operators"))
    if report.fastest is not None:
        ratio = report.twins[0].median_ms / report.fastest.median_ms
        explanation = f"of the float twin; {report.fastest.name}"
        lines.append((f"{ratio:.2f}×", "speed", explanation))
    return lines


def _with_their_layers(findings: Sequence[Finding]) -> list[tuple[Finding, list[str]]]:
    """Each finding once, with all the layers that it is of."""
    layers: dict[Finding, list[str]] = {}
    for finding in findings:
        of_any_layer = replace(finding, layer="")
        layers.setdefault(of_any_layer, []).append(finding.layer)
    return [*layers.items()]


def _side_by_side(report: Report) -> list[Latency]:
    """The model with its faster kernel, and what it is measured against."""
    return [] if report.fastest is None else [report.fastest, *report.twins]


_LATENCY_NOTE = (
    "Measured in turns in one run on {machine}. Larq Compute Engine is made for ARM, "
    "where its default kernel is the fast one; on x86 only the indirect kernel is "
    "optimised, so these figures say little about a phone."
)


def _bar_plots(report: Report, record: TrainingRecord) -> list[Plot]:
    plots = []
    verification = report.verification
    before = verification.keras_accuracy
    after = next((one.accuracy for one in verification.end_to_end), None)
    if before is not None and after is not None:
        exported = {record.label: before, f"{record.label}, .tflite": after}
        accuracies = {**record.accuracies, **exported}
        bars = report_plots.accuracy_bars(accuracies)
        title = f"Accuracy on {verification.samples} test images"
        plots.append(Plot(title, bars))
    if report.float_bytes is not None:
        bars = report_plots.size_bars(_side_by_side(report))
        plots.append(Plot("Size", bars))
    if report.latencies:
        bars = report_plots.latency_bars([*report.latencies, *report.twins])
        note = _LATENCY_NOTE.format(machine=report.machine)
        plots.append(Plot("Latency on this machine", bars, note))
    return plots


def _training_plots(record: TrainingRecord) -> list[Plot]:
    if not record.history:
        return []
    return [Plot("Training", report_plots.learning_curves(record.history))]


def _weight_plots(record: TrainingRecord) -> list[Plot]:
    return [
        Plot(f"Weights of {one.layer}", report_plots.weight_histogram(one))
        for one in record.weights
    ]


_IN_FORCE = "Between the lines ReCU lets the gradient through."
_FOR_COMPARISON = "The lines are those of τ = 0.99, for comparison."


def _dead_weights_explained() -> str:
    limit = -math.log(2 - 2 * DEAD_TAU)  # in mean magnitudes
    laplace, normal = 2 - 2 * DEAD_TAU, math.erfc(limit / math.sqrt(math.pi))
    text = (
        f"Dead weights lie outside the quantiles ±Q({DEAD_TAU:g}) of their layer, as "
        f"{percent(laplace, 0)} do of a Laplace distribution and {percent(normal)} "
        "of a normal one. Stuck weights have neither flipped in an epoch nor moved by "
        f"more than {percent(STUCK_THRESHOLD, 0)} of their layer's mean magnitude; at "
        "the end of a training most are stuck, because the learning rate is low. All "
        "binary layers together; each filter is centred and divided by its deviation, "
        "and the unit of the densities is the mean magnitude in its layer."
    )
    return text.replace(" %", "\N{NO-BREAK SPACE}%")


def _dead_weight_plots(record: TrainingRecord) -> list[Plot]:
    monitored = {
        label: history
        for label, history in record.monitored.items()
        if history and {"dead_share", "stuck_share"} <= set(history[0])
    }
    plots = []
    if monitored:
        curves = dead_weight_plots.share_curves(monitored)
        plots.append(Plot("Dead and stuck weights", curves))
    for label, histograms in record.histograms.items():
        if histograms:
            is_default = {one.tau for one in histograms} == {DEAD_TAU}
            note = _FOR_COMPARISON if is_default else _IN_FORCE
            density = dead_weight_plots.weights_over_epochs(histograms)
            title = f"Latent weights of {label} over the epochs"
            plots.append(Plot(title, density, note))
    return plots


def render_page(report: Report, record: TrainingRecord | None = None) -> str:
    """Renders a report, with what is known of the training if anything is.

    # Arguments
        report: The report of an export.
        record: The training behind it.

    # Returns
        HTML with styles and plots inside.
    """
    record = record or TrainingRecord()
    environment = page_environment(Path(__file__).parent)
    return environment.get_template("report.html.jinja").render(
        report=report,
        record=record,
        headlines=_headlines(report),
        findings=_with_their_layers(report.findings),
        side_by_side=_side_by_side(report),
        latencies_by_kind=by_kind(report.operator_latencies),
        columns=[_bar_plots(report, record), _training_plots(record)],
        dead_weights=_dead_weight_plots(record),
        dead_weights_explained=_dead_weights_explained(),
        weights=_weight_plots(record),
        is_clean=not any(one.severity == "error" for one in report.findings),
    )
