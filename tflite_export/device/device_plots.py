"""The plots of the device report, as SVG text to be placed in a page."""

from collections.abc import Mapping, Sequence

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator

from tflite_export.device.anchors import Anchor
from tflite_export.device.device_report import DeviceLatency
from tflite_export.device.sustained_run import SustainedRun
from tflite_export.operator_latency import OperatorLatency, by_kind
from tflite_export.plot_style import BINARY, FLOAT, GRID, OTHER, STYLE, WIDTH, svg

__all__ = ["anchor_bars", "operator_bars", "sustained_curve", "thread_curves"]

_COLOURS = {"float twin": FLOAT, "binary": BINARY, "int8": OTHER}
_KINDS = 6  # operators with a colour of their own
_PALETTE = ("#0b7285", "#e8590c", "#5f3dc4", "#2b8a3e", "#e67700", "#c2255c", "#adb5bd")


def _colour(model: str) -> str:
    return _COLOURS.get(model, BINARY)


def _empty_figure(height: float) -> tuple[Figure, Axes]:
    figure = Figure((WIDTH, height), layout="constrained")
    axes = figure.add_subplot()
    axes.grid(color=GRID)
    axes.set_axisbelow(True)
    return figure, axes


def thread_curves(latencies: Sequence[DeviceLatency]) -> str:
    """Time over the number of threads, one curve for each model and XNNPACK."""
    settings = dict.fromkeys((one.model, one.xnnpack) for one in latencies)
    with matplotlib.rc_context(STYLE):
        figure, axes = _empty_figure(3.0)
        for model, xnnpack in settings:
            points = sorted(
                (one.threads, one.milliseconds)
                for one in latencies
                if (one.model, one.xnnpack) == (model, xnnpack)
            )
            axes.plot(
                [threads for threads, _ in points],
                [milliseconds for _, milliseconds in points],
                color=_colour(model),
                linestyle="--" if xnnpack else "-",
                marker="o",
                markersize=4,
                label=f"{model}, XNNPACK" if xnnpack else model,
            )
        slowest = max((one.milliseconds for one in latencies), default=1.0)
        axes.set_ylim(0, 1.1 * slowest)
        most = max((one.threads for one in latencies), default=1)
        axes.set_xlim(0.5, most + 0.5)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=8, min_n_ticks=1))
        axes.set_xlabel("threads")
        axes.set_ylabel("time of one image, ms")
        figure.legend(loc="outside upper center", ncols=2, frameon=False, fontsize=9)
        return svg(figure)


def operator_bars(operators: Mapping[str, Sequence[OperatorLatency]]) -> str:
    """Time by kind of operator, one stacked bar for each model."""
    kinds = {model: by_kind(latencies) for model, latencies in operators.items()}
    totals: dict[str, float] = {}
    for summed in kinds.values():
        for one in summed:
            totals[one.kind] = totals.get(one.kind, 0.0) + one.milliseconds
    shown = sorted(totals, key=lambda kind: (-totals[kind], kind))[:_KINDS]
    names = [*shown, *(["other"] if len(totals) > len(shown) else [])]
    with matplotlib.rc_context(STYLE):
        figure, axes = _empty_figure(1.6 + 0.42 * len(kinds))
        starts = dict.fromkeys(kinds, 0.0)
        for name, colour in zip(names, _PALETTE):
            widths = [
                sum(
                    one.milliseconds
                    for one in summed
                    if one.kind == name or (name == "other" and one.kind not in shown)
                )
                for summed in kinds.values()
            ]
            left = list(starts.values())
            axes.barh(
                list(kinds), widths, left=left, color=colour, height=0.62, label=name
            )
            for model, width in zip(kinds, widths):
                starts[model] += width
        axes.invert_yaxis()
        axes.tick_params(axis="y", length=0)
        axes.set_xlim(0, 1.05 * max(starts.values(), default=1.0) or 1.0)
        axes.set_xlabel("time of one image, ms, one thread, without XNNPACK")
        figure.legend(loc="outside upper center", ncols=3, frameon=False, fontsize=8)
        return svg(figure)


def sustained_curve(run: SustainedRun) -> str:
    """Time of a run and temperature over a minute without a pause."""
    with matplotlib.rc_context(STYLE):
        figure, axes = _empty_figure(2.6)
        ends = [block.seconds for block in run.blocks]
        times = [block.average_ms for block in run.blocks]
        axes.plot(
            ends,
            times,
            color=BINARY,
            marker="o",
            markersize=4,
            label="time of one image",
        )
        axes.set_ylim(0, 1.3 * max(times))
        axes.set_xlim(left=0)
        axes.set_xlabel("seconds of computing")
        axes.set_ylabel("ms")
        starts = [0.0, *ends]
        heats = [*(block.celsius for block in run.blocks), run.final_celsius]
        known = [(at, heat) for at, heat in zip(starts, heats) if heat is not None]
        if known:
            right = axes.twinx()
            right.plot(
                [at for at, _ in known],
                [heat for _, heat in known],
                color=OTHER,
                linestyle=":",
                label="temperature (right axis)",
            )
            lowest, highest = (
                choose(heat for _, heat in known) for choose in (min, max)
            )
            right.set_ylim(lowest - 5, highest + 5)
            right.set_ylabel("°C", color=OTHER)
            right.spines["right"].set_visible(True)
        figure.legend(loc="outside upper center", ncols=2, frameon=False, fontsize=9)
        return svg(figure)


def anchor_bars(
    measured: Sequence[tuple[str, float]], anchors: Sequence[Anchor], threads: int
) -> str:
    """Measured times on top, published ones below, on a logarithmic axis.

    # Arguments
        measured: Models with their times in ms, with so many threads.
        anchors: Published figures with as many.
        threads: That number.
    """
    published = sorted(anchors, key=lambda one: one.milliseconds)
    names = [f"here: {name}" for name, _ in measured]
    names += [_named(anchor) for anchor in published]
    values = [value for _, value in measured] + [one.milliseconds for one in published]
    colours = [BINARY] * len(measured)
    colours += [FLOAT if one.precision == "float" else "#99c4cc" for one in published]
    rows = list(range(len(names)))
    with matplotlib.rc_context(STYLE):
        figure, axes = _empty_figure(0.9 + 0.24 * len(names))
        bars = axes.barh(rows, values, color=colours, height=0.7)
        axes.bar_label(bars, [_short(value) for value in values], padding=3, fontsize=8)
        axes.set_yticks(rows, names, fontsize=8)
        axes.set_xscale("log")
        axes.set_xlim(0.5 * min(values), 3.0 * max(values))
        axes.xaxis.set_major_locator(LogLocator(subs=_steps(values), numticks=12))
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
        axes.xaxis.set_minor_locator(NullLocator())
        axes.tick_params(axis="x", labelsize=8)
        axes.margins(y=0.01)
        axes.invert_yaxis()
        axes.tick_params(axis="y", length=0)
        axes.grid(axis="y", visible=False)
        plural = "s" * (threads > 1)
        axes.set_xlabel(f"ms, {threads} thread{plural}, logarithmic axis")
        return svg(figure)


def _steps(values: Sequence[float]) -> tuple[float, ...]:
    """Where a logarithmic axis has ticks within a power of ten."""
    return (1.0, 2.0, 5.0) if max(values) < 100 * min(values) else (1.0,)


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _named(anchor: Anchor) -> str:
    device = anchor.device.replace("Raspberry Pi ", "RPi ")
    precision = "" if anchor.precision == "binary" else f" {anchor.precision}"
    return f"{anchor.network}{precision}, {device}"
