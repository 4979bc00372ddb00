"""The device report as one HTML page that needs nothing but itself."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tflite_export.device import device_plots
from tflite_export.device.anchors import ANCHORS, Anchor
from tflite_export.device.device_report import DeviceLatency, DeviceReport
from tflite_export.operator_latency import KindLatency, OperatorLatency, by_kind
from tflite_export.page_environment import Plot, kilobytes, page_environment

__all__ = ["render_device_page"]

_Headline = tuple[str, str, str]


@dataclass(frozen=True)
class _Profile:
    model: str
    kinds: Sequence[KindLatency]
    operators: Sequence[OperatorLatency]
    total: float


_THREAD_NOTE = (
    "Median over the turns of each model; all models had their turns in one run. "
    "XNNPACK takes over float and int8 operators, never binary ones."
)
_ANCHOR_NOTE = (
    "Published figures are of networks for 224 × 224 pixels, on the devices that are "
    "named. Compare milliseconds only with the same network on the same device; what "
    "travels is the ratio of float to binary: 5.4 for ResNet-18 with IR-Net on a "
    "Raspberry Pi 3B, and 8.5 to 18.5 for single convolutions on a Pixel 1 (the "
    "MLSys 2021 paper of Larq Compute Engine)."
)


def _headlines(report: DeviceReport) -> list[_Headline]:
    """The figures at the top: value, name, explanation."""
    names = [model.name for model in report.models]
    main = "binary" if "binary" in names else names[0]
    lines = [*_speeds(report, main), *_comparison(report, main)]
    for memory in report.memory:
        if memory.model == main and memory.peak_mb is not None:
            lines.append(
                (f"{memory.peak_mb:.1f} MB", "peak memory", "benchmark tool included")
            )
    if report.sustained is not None:
        slower = f"{report.sustained.slowdown:.2f}×"
        seconds = f"{report.sustained.blocks[-1].seconds:.0f} s"
        lines.append((slower, f"time after {seconds}", "of the fastest five seconds"))
    return lines


def _speeds(report: DeviceReport, main: str) -> Iterator[_Headline]:
    alone, best = report.fastest(main, threads=1), report.fastest(main)
    if alone is not None:
        yield f"{alone.milliseconds:.3g} ms", f"{main}, one thread", "one image"
    if best is not None and best.threads > 1:
        explanation = f"{best.threads} threads, the fastest"
        yield f"{best.milliseconds:.3g} ms", main, explanation


def _comparison(report: DeviceReport, main: str) -> Iterator[_Headline]:
    sizes = {model.name: model.model_bytes for model in report.models}
    if main == "float twin" or "float twin" not in sizes:
        return
    alone = report.fastest(main, threads=1)
    twin = report.fastest("float twin", threads=1)
    if alone is not None and twin is not None:
        ratio = f"{twin.milliseconds / alone.milliseconds:.2f}×"
        yield ratio, "speed of the float twin", "one thread, each at its best"
    smaller = f"{sizes['float twin'] / sizes[main]:.1f}×"
    yield smaller, "smaller", kilobytes(sizes[main])


def _plots(report: DeviceReport) -> list[list[Plot]]:
    """The plots at the top, in two columns."""
    curves = device_plots.thread_curves(report.latencies)
    second = []
    if report.operators:
        bars = device_plots.operator_bars(report.operators)
        second.append(Plot("Operators", bars))
    if report.sustained is not None:
        run = report.sustained
        threads = f"{run.threads} thread{'s' * (run.threads > 1)}"
        title = f"Without a pause: {run.model}, {threads}"
        second.append(Plot(title, device_plots.sustained_curve(run)))
    return [[Plot("Latency by threads", curves, _THREAD_NOTE)], second]


def _anchor_plots(report: DeviceReport) -> list[Plot]:
    plots = []
    for threads in sorted({anchor.threads for anchor in ANCHORS}):
        fastest = [report.fastest(model.name, threads) for model in report.models]
        measured = [(one.model, one.milliseconds) for one in fastest if one]
        if measured:
            anchors = [one for one in ANCHORS if one.threads == threads]
            bars = device_plots.anchor_bars(measured, anchors, threads)
            title = (
                f"{threads} thread{'s' * (threads > 1)}, here at the fastest setting"
            )
            plots.append(Plot(title, bars))
    return plots


def _here(report: DeviceReport) -> list[DeviceLatency]:
    """Measured figures to stand above the published ones, each at its best."""
    most = max(one.threads for one in report.latencies)
    fastest = [
        report.fastest(model.name, threads)
        for threads in dict.fromkeys((1, most))
        for model in report.models
    ]
    return [one for one in fastest if one is not None]


def _is_here(anchor: Anchor, report: DeviceReport) -> bool:
    """Whether a figure was published for a device of the same kind."""
    if anchor.device.startswith("Raspberry Pi"):
        return anchor.device.rstrip("B") in report.device.model
    return report.device.model.split(" (")[0] in ("Google Pixel", "Google Pixel XL")


def _matrix(report: DeviceReport) -> dict[tuple[str, bool], dict[int, float]]:
    """Times by model and XNNPACK, then by threads."""
    matrix: dict[tuple[str, bool], dict[int, float]] = {}
    for model in report.models:
        for xnnpack in (False, True):
            times = {
                one.threads: one.milliseconds
                for one in report.latencies
                if (one.model, one.xnnpack) == (model.name, xnnpack)
            }
            if times:
                matrix[model.name, xnnpack] = times
    return matrix


def _profiles(report: DeviceReport) -> list[_Profile]:
    return [
        _Profile(
            model=model,
            kinds=by_kind(operators),
            operators=operators,
            total=sum(one.milliseconds for one in operators),
        )
        for model, operators in report.operators.items()
    ]


def render_device_page(report: DeviceReport) -> str:
    """Renders a report.

    # Arguments
        report: What was measured.

    # Returns
        HTML with styles and plots inside.
    """
    environment = page_environment(Path(__file__).parent)
    return environment.get_template("device_report.html.jinja").render(
        report=report,
        headlines=_headlines(report),
        columns=_plots(report),
        threads=sorted({one.threads for one in report.latencies}),
        matrix=_matrix(report),
        memory={one.model: one for one in report.memory},
        profiles=_profiles(report),
        anchor_columns=[[plot] for plot in _anchor_plots(report)],
        here=_here(report),
        anchors=[(anchor, _is_here(anchor, report)) for anchor in ANCHORS],
        anchor_note=_ANCHOR_NOTE,
    )
