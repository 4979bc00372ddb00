"""Plots of dead weights over a training, as SVG text to be placed in a page."""

from collections.abc import Mapping, Sequence

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, LogNorm
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from larq_irnet.diagnostics import EpochHistogram
from tflite_export.plot_style import BINARY, FLOAT, GRID, OTHER, STYLE, WIDTH, svg

__all__ = ["share_curves", "weights_over_epochs"]

# told apart by their lightness and dashes as well as by their hue
_LINES = [(BINARY, "-"), (OTHER, "--"), ("#5f3dc4", "-."), (FLOAT, ":")]
_DENSITIES = LinearSegmentedColormap.from_list("densities", ["#e3f3f5", "#083d47"])
_LOWEST_DENSITY = 1e-5
_SMALLEST = 1e-9  # in place of the 0 of an infinite quantile: 20 is outside the plot
_SHORT = 16  # letters: three such labels fit side by side


def _shares_panel(
    axes: Axes,
    histories: Mapping[str, Sequence[Mapping[str, float]]],
    share: str,
    label: str,
) -> None:
    for index, (name, history) in enumerate(histories.items()):
        colour, dashes = _LINES[index % len(_LINES)]
        axes.plot(
            [row["epoch"] + 1 for row in history],
            [100 * row[share] for row in history],
            color=colour,
            linestyle=dashes,
            linewidth=2.4 if index == 0 else 1.6,
            label=name,
        )
    axes.set_ylim(bottom=0)
    axes.set_ylabel(label)
    axes.grid(color=GRID)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))


def share_curves(histories: Mapping[str, Sequence[Mapping[str, float]]]) -> str:
    """Dead and stuck weights over the epochs, of several runs.

    # Arguments
        histories: For each run one row per epoch with "epoch", "dead_share" and
            "stuck_share", by the name of the run; the first one is emphasised.
    """
    with matplotlib.rc_context(STYLE):
        figure = Figure((WIDTH, 4.4), layout="constrained")
        dead, stuck = figure.subplots(2, sharex=True)
        _shares_panel(dead, histories, "dead_share", "dead weights, %")
        _shares_panel(stuck, histories, "stuck_share", "stuck weights, %")
        stuck.set_xlabel("epoch")
        lines, labels = dead.get_legend_handles_labels()
        columns = 3 if max(map(len, labels)) <= _SHORT else 1
        figure.legend(
            lines, labels, loc="outside upper center", ncols=columns, frameon=False
        )
        return svg(figure)


def _epoch_edges(epochs: Sequence[int]) -> np.ndarray:
    """Where the column of each epoch begins and ends; some epochs may be missing."""
    middles = (np.array(epochs[1:]) + np.array(epochs[:-1])) / 2
    return np.concatenate([[epochs[0] - 0.5], middles, [epochs[-1] + 0.5]])


def weights_over_epochs(histograms: Sequence[EpochHistogram]) -> str:
    """The distribution of standardised latent weights, epoch by epoch.

    The quantiles ±Q(tau) of each epoch are drawn as lines.

    # Arguments
        histograms: At least one, by epoch, with the same bins.
    """
    reach = histograms[0].reach
    counts = np.array([one.counts for one in histograms], np.float64)
    totals = counts.sum(1) + [one.beyond for one in histograms]
    densities = counts / totals[:, None] * (counts.shape[1] / (2 * reach))
    epochs = [one.epoch + 1 for one in histograms]
    taus = [one.tau for one in histograms]
    edges = _epoch_edges(epochs)
    with matplotlib.rc_context(STYLE):
        figure = Figure((WIDTH, 3.4), layout="constrained")
        axes = figure.add_subplot()
        colours = axes.pcolormesh(
            edges,
            np.linspace(-reach, reach, counts.shape[1] + 1),
            np.ma.masked_equal(densities, 0.0).T,
            cmap=_DENSITIES,
            norm=LogNorm(_LOWEST_DENSITY, 1.0),
            rasterized=True,
        )
        quantiles = -np.log(np.maximum(2 - 2 * np.array(taus), _SMALLEST))
        axes.set_ylim(-reach, reach)
        for sign in 1, -1:
            axes.stairs(
                sign * quantiles, edges, baseline=None, color=OTHER, linewidth=1.8
            )
        axes.plot([], [], color=OTHER, label=_quantile_label(taus))
        axes.set_xlabel("epoch")
        axes.set_ylabel("weight, mean magnitudes")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        figure.colorbar(colours, label="density, log scale", extend="min")
        figure.legend(loc="outside upper center", frameon=False)
        figure.set_dpi(200)  # of the colours; all else are lines
        return svg(figure)


def _quantile_label(taus: Sequence[float]) -> str:
    first, last = taus[0], taus[-1]
    if first == last:
        return f"quantiles ±Q({first:.2f})"
    return f"quantiles ±Q(τ), τ from {first:.3f} to {last:.3f}"
