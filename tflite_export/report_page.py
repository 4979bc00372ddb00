"""The report as one HTML page that needs nothing but itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import jinja2

from tflite_export import report_plots
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
    """

    title: str = ""
    label: str = "Keras"
    history: Sequence[Mapping[str, float]] = ()
    accuracies: Mapping[str, float] = field(default_factory=dict)
    weights: Sequence[WeightHistogram] = ()


def _percent(share: float | None, digits: int = 2) -> str:
    return "–" if share is None else f"{100 * share:.{digits}f} %"


def _kilobytes(size: int) -> str:
    return f"{size / 1e3:,.1f} kB"


def _megacount(count: int) -> str:
    return f"{count / 1e6:,.2f} M"


def _headlines(report: Report) -> list[tuple[str, str, str]]:
    """The figures at the top: value, name, explanation."""
    binary = sum(bool(layer.operator) for layer in report.binary_layers)
    images = f"{report.verification.samples} images"
    lines = [
        (f"{binary} / {len(report.binary_layers)}", "binary layers", "as LceBconv2d")
    ]
    for end in report.verification.end_to_end[:1]:
        agreement = f"same arg-max, {images}"
        lines.append((_percent(end.agreement), "agreement with Keras", agreement))
        if end.accuracy is not None:
            keras = _percent(report.verification.keras_accuracy)
            accuracy = f"Keras: {keras}, {images}"
            lines.append((_percent(end.accuracy), "accuracy", accuracy))
    lines.append((_kilobytes(report.model_bytes), "size", ".tflite"))
    if report.float_bytes is not None:
        ratio = report.float_bytes / report.model_bytes
        lines.append((f"{ratio:.1f}×", "smaller", "than the float twin"))
    if report.latencies:
        *binaries, twin = report.latencies
        fastest = min(binaries, key=lambda one: one.median_ms)
        ratio = twin.median_ms / fastest.median_ms
        lines.append((f"{ratio:.2f}×", "speed", f"of the float twin; {fastest.name}"))
    return lines


@dataclass(frozen=True)
class _Plot:
    title: str
    svg: str
    note: str = ""


_LATENCY_NOTE = (
    "Measured in turns in one run on {machine}. Larq Compute Engine is made for ARM, "
    "where its default kernel is the fast one; on x86 only the indirect kernel is "
    "optimised, so these figures say little about a phone."
)


def _bar_plots(report: Report, record: TrainingRecord) -> list[_Plot]:
    plots = []
    verification = report.verification
    before = verification.keras_accuracy
    after = next((one.accuracy for one in verification.end_to_end), None)
    if before is not None and after is not None:
        exported = {record.label: before, f"{record.label}, .tflite": after}
        accuracies = {**record.accuracies, **exported}
        bars = report_plots.accuracy_bars(accuracies)
        title = f"Accuracy on {verification.samples} test images"
        plots.append(_Plot(title, bars))
    if report.float_bytes is not None:
        bars = report_plots.size_bars(report.model_bytes, report.float_bytes)
        plots.append(_Plot("Size", bars))
    if report.latencies:
        bars = report_plots.latency_bars(report.latencies)
        note = _LATENCY_NOTE.format(machine=report.machine)
        plots.append(_Plot("Latency on this machine", bars, note))
    return plots


def _training_plots(record: TrainingRecord) -> list[_Plot]:
    if not record.history:
        return []
    return [_Plot("Training", report_plots.learning_curves(record.history))]


def _weight_plots(record: TrainingRecord) -> list[_Plot]:
    return [
        _Plot(f"Weights of {one.layer}", report_plots.weight_histogram(one))
        for one in record.weights
    ]


def render_page(report: Report, record: TrainingRecord | None = None) -> str:
    """Renders a report, with what is known of the training if anything is.

    # Arguments
        report: The report of an export.
        record: The training behind it.

    # Returns
        HTML with styles and plots inside.
    """
    record = record or TrainingRecord()
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters |= {
        "percent": _percent,
        "kilobytes": _kilobytes,
        "megacount": _megacount,
    }
    return environment.get_template("report.html.jinja").render(
        report=report,
        record=record,
        headlines=_headlines(report),
        columns=[_bar_plots(report, record), _training_plots(record)],
        weights=_weight_plots(record),
        is_clean=not any(one.severity == "error" for one in report.findings),
    )
