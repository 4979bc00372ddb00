"""A comparison as one HTML page that needs nothing but itself."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from larq_irnet import methods
from tflite_export.page_environment import Plot, kilobytes, page_environment, percent
from zoo.comparison import plots
from zoo.comparison.comparing import Comparison
from zoo.comparison.curves import Curve
from zoo.comparison.measured import Measured
from zoo.comparison.row import Row
from zoo.comparison.table import COLUMNS, cells
from zoo.run_summary import versions

__all__ = ["render_page"]


_LATENCY_NOTE = (
    "One image on one thread of {machine}, median of 100 runs in turns. Larq Compute "
    "Engine is made for ARM; on x86 only its indirect kernel is optimised, so this "
    "says little about a phone."
)
_EXPLAINED = {
    "weight_entropy": "Mean over all filters; 1 if a filter has as many +1 as -1.",
    "activation_entropy": "Mean over all channels on validation images, in inference.",
    "quantization_error": (
        "What the best scaled signs miss of each latent filter, relative to its "
        "energy; mean over all filters."
    ),
    "flip_ratio": "Share of all binary weights that changed their sign in the epoch.",
    "dead_share": "Latent weights outside the quantiles ±Q(0.99) of their layer.",
    "gradient_cosine": (
        "Between the surrogate's gradient and finite differences of the loss; 1 is no "
        "mismatch."
    ),
}


def _accuracy_plots(comparison: Comparison) -> list[Plot]:
    rows = comparison.rows
    note = "Mean and standard deviation over the seeds; a bar for each seed."
    drawn = [Plot("Accuracy", plots.accuracy_figure(rows), note)]
    if comparison.validation:
        curves = plots.learning_curves(rows, comparison.validation)
        note = "Mean over the seeds; the band is one standard deviation."
        drawn.append(Plot("Learning curves", curves, note))
    return drawn


def _cost_plots(rows: Sequence[Row], measured: Measured) -> list[Plot]:
    kilo = {
        row.recipe: row.tflite_bytes / 1e3
        for row in rows
        if row.tflite_bytes is not None
    }
    times = {row.recipe: row.latency_ms for row in rows if row.latency_ms is not None}
    if not kilo:
        return []
    size = plots.accuracy_against(
        rows, kilo, "size of the .tflite, kB (1 kB = 1,000 bytes)"
    )
    latency = plots.accuracy_against(rows, times, "latency, ms per image")
    note = _LATENCY_NOTE.format(machine=measured.machine)
    return [
        Plot("Accuracy against size", size),
        Plot("Accuracy against latency", latency, note),
    ]


def _diagnostic_plots(comparison: Comparison) -> list[Plot]:
    return [
        Plot(
            diagnostic.title,
            plots.diagnostic_panel(
                comparison.rows, comparison.diagnostics[name], diagnostic
            ),
            _EXPLAINED[name],
        )
        for name, diagnostic in plots.DIAGNOSTICS.items()
        if name in comparison.diagnostics
    ]


def _last(curve: Curve | None, scale: float) -> str:
    """The last value of a curve, in three digits."""
    mean = None if curve is None else curve.last()["mean"]
    return "-" if mean is None else f"{scale * mean:#.3g}".rstrip(".")


def _last_epoch(curves: Mapping[str, Curve]) -> str:
    """When that was, such as "epoch 16"."""
    epochs = sorted({int(curve.epochs[-1]) for curve in curves.values()})
    return f"epoch\N{NO-BREAK SPACE}{' or '.join(map(str, epochs))}"


def _diagnostic_table(comparison: Comparison) -> tuple[list[str], list[list[str]]]:
    """Titles and texts: the last figures, of the recipes that have some."""
    shown = {
        name: diagnostic
        for name, diagnostic in plots.DIAGNOSTICS.items()
        if name in comparison.diagnostics
    }
    titles = [
        f"{one.title}, {one.label}, {_last_epoch(comparison.diagnostics[name])}"
        for name, one in shown.items()
    ]
    table = []
    for row in comparison.rows:
        curves = [comparison.diagnostics[name].get(row.recipe) for name in shown]
        texts = [_last(curve, one.scale) for curve, one in zip(curves, shown.values())]
        if any(curve is not None for curve in curves):
            table.append([row.label, *texts])
    return ["last measured", *titles], table


def _in_two_columns(drawn: Sequence[Plot]) -> list[Sequence[Plot]]:
    return [drawn[::2], drawn[1::2]]


def _headlines(rows: Sequence[Row]) -> list[tuple[str, str, str]]:
    """The figures at the top: value, name, explanation."""
    binary = [row for row in rows if row.method != "float"]
    if not binary:
        return []
    best = max(binary, key=lambda row: row.validation_mean)
    title = methods.get(best.method).title
    chosen = f"{title}, best on the validation images"
    lines = [(percent(best.test_mean), "test accuracy", chosen)]
    if best.gap_to_float_points is not None:
        gap = f"{best.gap_to_float_points:+.2f}"
        lines.append((gap, "points to full precision", "test, means of the seeds"))
    if best.tflite_bytes is not None:
        lines.append((kilobytes(best.tflite_bytes), "size", f".tflite, {title}"))
    if best.times_smaller is not None:
        smaller = f"{best.times_smaller:.1f}×"
        lines.append((smaller, "smaller", "than full precision"))
    lines.append((percent(best.binary_mac_share, 1), "of the MACs", "are binary"))
    return lines


def _arithmetic(comparison: Comparison) -> dict[str, str]:
    """What the last bits of the accuracies depend on, in a few words."""
    there = comparison.arithmetic
    if not there:
        return {}
    threads = there.get("threads") or f"all, {there.get('cores')} cores"
    onednn = {True: "on", False: "off", None: "not known"}[there.get("onednn")]
    return {"threads of a run": str(threads), "oneDNN kernels": onednn}


def render_page(comparison: Comparison, *, title: str, about: Mapping[str, str]) -> str:
    """Renders a comparison.

    # Arguments
        comparison: With at least one row.
        title: Of the page.
        about: How it was made, by name, such as the command.

    # Returns
        HTML with styles and plots inside.

    # Raises
        ValueError: if there is nothing to show.
        ImportError: if jinja2 is not installed.
    """
    if comparison.measured is None:
        raise ValueError("Expected a comparison with a finished run, got none.")
    diagnostic_titles, diagnostic_table = _diagnostic_table(comparison)
    environment = page_environment(Path(__file__).parent)
    return environment.get_template("page.html.jinja").render(
        title=title,
        headlines=_headlines(comparison.rows),
        columns=list(COLUMNS),
        table=cells(comparison.rows),
        failures=comparison.failures,
        not_exported=comparison.measured.not_exported,
        has_exports=bool(comparison.measured.deployed),
        columns_of_plots=_in_two_columns(
            _accuracy_plots(comparison)
            + _cost_plots(comparison.rows, comparison.measured)
        ),
        diagnostic_titles=diagnostic_titles,
        diagnostic_table=diagnostic_table,
        columns_of_diagnostics=_in_two_columns(_diagnostic_plots(comparison)),
        about={
            **about,
            **_arithmetic(comparison),
            "machine of the times": comparison.measured.machine,
        },
        versions=versions(),
    )
