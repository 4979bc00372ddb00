"""The plots of a comparison: one colour and one marker for each recipe."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import matplotlib
import matplotlib.lines
import matplotlib.ticker
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tflite_export.plot_style import FLOAT, GRID, STYLE, WIDTH, svg
from zoo.comparison.curves import Curve
from zoo.comparison.row import Row

__all__ = [
    "DIAGNOSTICS",
    "Diagnostic",
    "accuracy_against",
    "accuracy_figure",
    "accuracy_png",
    "diagnostic_panel",
    "learning_curves",
]

# of Okabe and Ito: told apart also by the colour-blind
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00")
_MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">", "p")
_PNG_DPI = 130
_HEADROOM = 1.08
_LEGEND_COLUMNS = 3
_TICKS = 6  # at most, so that their numbers keep apart
_FEW_EPOCHS = 12  # points of which are marked


@dataclass(frozen=True)
class Diagnostic:
    """A figure of `larq_irnet.callbacks.BinarizationMonitor` in a plot.

    # Attributes
        title: What it is.
        label: Of its axis, with the unit.
        scale: What a value is multiplied with.
        is_logarithmic: Whether the axis is.
    """

    title: str
    label: str
    scale: float = 1.0
    is_logarithmic: bool = False


DIAGNOSTICS = {
    "weight_entropy": Diagnostic("Information of weights", "bits per binary weight"),
    "activation_entropy": Diagnostic(
        "Information of activations", "bits per binary activation"
    ),
    "quantization_error": Diagnostic(
        "Quantization error", "% of the weights' energy", 100.0
    ),
    "flip_ratio": Diagnostic(
        "Flips", "% of the weights, per epoch", 100.0, is_logarithmic=True
    ),
    "dead_share": Diagnostic("Dead weights", "% of the weights", 100.0),
    "gradient_cosine": Diagnostic("Gradient mismatch", "cosine"),
}
"""The figures that are drawn, by the name of the metric, in their order."""


@dataclass(frozen=True)
class _Look:
    colour: str
    marker: str
    line: Literal["-", "--", ":", "-."]


def _looks(rows: Sequence[Row]) -> dict[str, _Look]:
    """How each recipe is drawn in all plots; full precision is grey."""
    looks, binary = {}, 0
    for row in rows:
        if row.method == "float":
            looks[row.recipe] = _Look(FLOAT, "*", "--")
            continue
        looks[row.recipe] = _Look(
            _COLOURS[binary % len(_COLOURS)],
            _MARKERS[binary % len(_MARKERS)],
            "-" if binary < len(_COLOURS) else "-.",
        )
        binary += 1
    return looks


def _deviation(row: Row) -> float:
    """In percent; nothing for a single seed."""
    return 100 * (row.test_deviation or 0.0)


def _accuracy(rows: Sequence[Row], figure: Figure) -> None:
    """Means with error bars, and the seeds behind them."""
    axes = figure.add_subplot()
    looks = _looks(rows)
    for place, row in enumerate(rows):
        look = looks[row.recipe]
        each = [100 * accuracy for accuracy in row.test]
        axes.plot(each, [place] * len(each), "|", color=look.colour, markersize=9)
        axes.errorbar(
            100 * row.test_mean,
            place,
            xerr=_deviation(row) or None,
            fmt=look.marker,
            color=look.colour,
            markersize=8,
            capsize=4,
            elinewidth=1.6,
        )
        text = f"{100 * row.test_mean:.2f}"
        if row.test_deviation is not None:
            text += f" ± {_deviation(row):.2f}"
        axes.annotate(
            text,
            (1.01, place),
            xycoords=("axes fraction", "data"),
            va="center",
            fontsize=9,
        )
    axes.set_yticks(range(len(rows)), [row.label for row in rows])
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x", color=GRID)
    axes.set_axisbelow(True)
    axes.xaxis.set_major_locator(matplotlib.ticker.MaxNLocator(_TICKS))
    axes.set_xlabel("top-1 accuracy on the test images, %")


def _accuracy_size(rows: Sequence[Row]) -> tuple[float, float]:
    return WIDTH, 0.8 + 0.42 * len(rows)


def accuracy_figure(rows: Sequence[Row]) -> str:
    """Test accuracy of each recipe, mean, deviation and seeds, as SVG."""
    with matplotlib.rc_context(STYLE):
        figure = Figure(_accuracy_size(rows), layout="constrained")
        _accuracy(rows, figure)
        return svg(figure)


def accuracy_png(rows: Sequence[Row], title: str) -> bytes:
    """The same as PNG, on white, with a title."""
    with matplotlib.rc_context(STYLE):
        width, height = _accuracy_size(rows)
        figure = Figure((width, height + 0.3), layout="constrained", facecolor="white")
        _accuracy(rows, figure)
        figure.suptitle(title, fontsize=10)
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", dpi=_PNG_DPI)
        return buffer.getvalue()


def _legend(figure: Figure, rows: Sequence[Row], *, lines: bool) -> None:
    """The recipes above the plot, in which they may lie upon each other."""
    looks = _looks(rows)
    handles = [
        matplotlib.lines.Line2D(
            [],
            [],
            color=looks[row.recipe].colour,
            marker="" if lines else looks[row.recipe].marker,
            linestyle=looks[row.recipe].line if lines else "",
            label=row.label,
        )
        for row in rows
    ]
    longest = max(len(row.label) for row in rows)
    figure.legend(
        handles=handles,
        loc="outside upper center",
        ncols=_LEGEND_COLUMNS if longest < 20 else 1,
        frameon=False,
        fontsize=9,
    )


def accuracy_against(
    rows: Sequence[Row], values: Mapping[str, float], label: str
) -> str:
    """Test accuracy against what it costs, as SVG.

    # Arguments
        rows: The recipes; those without a value are left out.
        values: The cost by recipe; drawn from 0 on.
        label: Of the cost, with its unit.
    """
    shown = [row for row in rows if row.recipe in values]
    looks = _looks(rows)
    with matplotlib.rc_context(STYLE):
        figure = Figure((WIDTH, 3.2), layout="constrained")
        axes = figure.add_subplot()
        for row in shown:
            axes.errorbar(
                values[row.recipe],
                100 * row.test_mean,
                yerr=_deviation(row) or None,
                fmt=looks[row.recipe].marker,
                color=looks[row.recipe].colour,
                markersize=8,
                capsize=4,
                alpha=0.85,
            )
        axes.set_xlim(0, _HEADROOM * max(values[row.recipe] for row in shown))
        axes.grid(color=GRID)
        axes.set_axisbelow(True)
        axes.set_xlabel(label)
        axes.set_ylabel("test accuracy, %")
        _legend(figure, shown, lines=False)
        return svg(figure)


def _lines(
    axes: Axes, rows: Sequence[Row], curves: Mapping[str, Curve], scale: float
) -> None:
    looks = _looks(rows)
    for row in rows:
        if row.recipe not in curves:
            continue
        curve, look = curves[row.recipe], looks[row.recipe]
        mean, deviation = scale * curve.mean, scale * curve.deviation
        has_few = len(curve.epochs) <= _FEW_EPOCHS
        axes.plot(
            curve.epochs,
            mean,
            look.line,
            color=look.colour,
            marker=look.marker if has_few else "",
            markersize=5,
            linewidth=1.4,
        )
        axes.fill_between(
            curve.epochs,
            mean - deviation,
            mean + deviation,
            color=look.colour,
            alpha=0.15,
            linewidth=0,
        )
    axes.ticklabel_format(axis="y", useOffset=False)
    axes.xaxis.set_major_locator(
        matplotlib.ticker.MaxNLocator("auto", integer=True, min_n_ticks=1)
    )
    axes.grid(color=GRID)
    axes.set_xlabel("epoch")


def _lowest_of_interest(curves: Mapping[str, Curve]) -> float:
    """In percent: what is below is the steep beginning."""
    late = [
        100 * (curve.mean - curve.deviation)[len(curve.mean) // 3 :]
        for curve in curves.values()
    ]
    lowest = min(float(np.min(values)) for values in late)
    return max(0.0, (lowest - 1) // 2 * 2)


def learning_curves(rows: Sequence[Row], curves: Mapping[str, Curve]) -> str:
    """Validation accuracy over the epochs, mean and deviation, as SVG.

    # Arguments
        rows: The recipes, in their order.
        curves: Of accuracies in [0, 1], by recipe.
    """
    lowest = _lowest_of_interest(curves)
    begins = f" (from {lowest:g} on)" if lowest else ""
    with matplotlib.rc_context(STYLE):
        figure = Figure((WIDTH, 3.6), layout="constrained")
        axes = figure.add_subplot()
        _lines(axes, rows, curves, 100.0)
        axes.set_ylim(lowest, 100 + 0.02 * (100 - lowest))
        axes.set_ylabel(f"validation accuracy, %{begins}")
        _legend(figure, [row for row in rows if row.recipe in curves], lines=True)
        return svg(figure)


def diagnostic_panel(
    rows: Sequence[Row], curves: Mapping[str, Curve], diagnostic: Diagnostic
) -> str:
    """One figure of the binary layers over the epochs, mean and deviation, as SVG.

    # Arguments
        rows: The recipes, in their order.
        curves: By recipe; those of full precision have none.
        diagnostic: What it is.
    """
    shown = [row for row in rows if row.recipe in curves]
    with matplotlib.rc_context(STYLE):
        figure = Figure((WIDTH, 2.9), layout="constrained")
        axes = figure.add_subplot()
        _lines(axes, rows, curves, diagnostic.scale)
        axes.set_ylabel(diagnostic.label)
        if diagnostic.is_logarithmic:
            axes.set_yscale("log", nonpositive="clip")  # of a band: down to the axis
        _legend(figure, shown, lines=True)
        return svg(figure)
