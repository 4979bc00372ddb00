"""The plots of the report, as SVG text to be placed in a page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tflite_export.benchmarking import Latency
from tflite_export.plot_style import BINARY, FLOAT, GRID, OTHER, STYLE, WIDTH, svg

__all__ = [
    "WeightHistogram",
    "accuracy_bars",
    "latency_bars",
    "learning_curves",
    "size_bars",
    "weight_histogram",
]


@dataclass(frozen=True)
class WeightHistogram:
    """The weights of one binary layer.

    # Attributes
        layer: Name of the layer.
        initial: Latent weights before training, flat; `None` if they are not known.
        trained: Latent weights after training, flat.
        binary: Quantized weights after training, flat.
    """

    layer: str
    initial: np.ndarray | None
    trained: np.ndarray
    binary: np.ndarray


def _bars(
    names: Sequence[str],
    values: Sequence[float],
    colours: Sequence[str],
    labels: Sequence[str],
    title: str,
    limits: tuple[float, float],
) -> str:
    with matplotlib.rc_context(STYLE):
        figure = Figure((WIDTH, 0.7 + 0.42 * len(names)), layout="constrained")
        axes = figure.add_subplot()
        bars = axes.barh(names, values, color=colours, height=0.62)
        axes.bar_label(bars, labels, padding=4)
        axes.invert_yaxis()
        axes.set_xlim(*limits)
        axes.set_xlabel(title)
        axes.tick_params(axis="y", length=0)
        axes.grid(axis="x", color=GRID)
        axes.set_axisbelow(True)
        return svg(figure)


def accuracy_bars(accuracies: Mapping[str, float]) -> str:
    """Horizontal bars of accuracies in [0, 1], the last one, the .tflite, marked."""
    values = [100 * accuracy for accuracy in accuracies.values()]
    lowest = max(0.0, min(values) - 10) // 10 * 10
    return _bars(
        list(accuracies),
        values,
        [FLOAT] * (len(values) - 1) + [BINARY],
        [f"{value:.2f}" for value in values],
        f"top-1 accuracy, % (axis begins at {lowest:g})",
        (lowest, 100 + 0.14 * (100 - lowest)),
    )


def size_bars(models: Sequence[Latency]) -> str:
    """Horizontal bars of model sizes, twins marked."""
    kilobytes = [one.model_bytes / 1e3 for one in models]
    return _bars(
        [one.name.split(",")[0] for one in models],
        kilobytes,
        _colours(models),
        [f"{size:,.1f}" for size in kilobytes],
        "size of the .tflite, kB (1 kB = 1,000 bytes)",
        (0, 1.22 * max(kilobytes)),
    )


def _colours(models: Sequence[Latency]) -> list[str]:
    return [FLOAT if "twin" in one.name else BINARY for one in models]


def latency_bars(latencies: Sequence[Latency]) -> str:
    """Horizontal bars of medians, in milliseconds."""
    medians = [latency.median_ms for latency in latencies]
    return _bars(
        [latency.name for latency in latencies],
        medians,
        _colours(latencies),
        [f"{median:.3f}" for median in medians],
        f"median time of one image, ms, {latencies[0].threads} thread",
        (0, 1.22 * max(medians)),
    )


def _curve_panel(
    axes: Axes, history: Sequence[Mapping[str, float]], metric: str, label: str
) -> None:
    scale = 100 if metric == "accuracy" else 1
    epochs = [row["epoch"] + 1 for row in history]
    for prefix, colour, name in ("", FLOAT, "train"), ("val_", BINARY, "validation"):
        values = [scale * row[prefix + metric] for row in history]
        axes.plot(epochs, values, color=colour, label=name)
    axes.set_ylabel(label)
    axes.legend(frameon=False)


def learning_curves(history: Sequence[Mapping[str, float]]) -> str:
    """Accuracy, loss and the estimator's constants over the epochs.

    # Arguments
        history: One row per epoch with "epoch", "accuracy", "loss", their "val_" twins
            and, for scheduled quantizers, "t" and "k", or "tau".
    """
    symbols = [symbol for symbol in ("t", "k", "tau") if symbol in history[0]]
    panels = 3 if symbols else 2
    with matplotlib.rc_context(STYLE):
        figure = Figure((WIDTH, 1.9 * panels), layout="constrained")
        axes = figure.subplots(panels, sharex=True)
        _curve_panel(axes[0], history, "accuracy", "accuracy, %")
        _curve_panel(axes[1], history, "loss", "loss")
        axes[1].set_yscale("log")
        for symbol, colour in zip(symbols, (OTHER, BINARY)):
            epochs = [row["epoch"] + 1 for row in history]
            constants = [row[symbol] for row in history]
            axes[2].plot(epochs, constants, color=colour, label=symbol)
        if symbols:
            axes[2].set_yscale("linear" if symbols == ["tau"] else "log")
            axes[2].set_ylabel("surrogate gradient")
            axes[2].legend(frameon=False)
        for panel in axes:
            panel.grid(color=GRID)
        axes[-1].set_xlabel("epoch")
        return svg(figure)


def weight_histogram(layer: WeightHistogram) -> str:
    """Latent weights before and after training, and the binary weights.

    The area of each histogram is one; the binary weights are drawn as spikes at their
    values, as high as their share.
    """
    reach = 1.05 * max(np.abs(layer.trained).max(), np.abs(layer.binary).max())
    bins = np.linspace(-reach, reach, 61)
    values, counts = np.unique(layer.binary, return_counts=True)
    with matplotlib.rc_context(STYLE):
        figure = Figure((WIDTH, 2.4), layout="constrained")
        axes = figure.add_subplot()
        drawings: Any = (
            (layer.trained, "stepfilled", 0.55, BINARY, "latent, after training"),
            (layer.initial, "step", 1.0, FLOAT, "latent, before"),
        )
        if layer.initial is None:
            drawings = drawings[:1]
        for latent, histtype, alpha, colour, label in drawings:
            axes.hist(
                latent,
                bins.tolist(),
                density=True,
                histtype=histtype,
                alpha=alpha,
                color=colour,
                label=label,
            )
        axes.plot([], [], color=OTHER, linewidth=3, label="binary (right axis)")
        axes.set_xlabel("weight")
        axes.set_ylabel("density")
        share = axes.twinx()
        share.vlines(values, 0, counts / counts.sum(), color=OTHER, linewidth=3)
        share.set_ylim(0, 1)
        share.set_ylabel("share", color=OTHER)
        figure.legend(loc="outside upper center", ncols=3, frameon=False, fontsize=9)
        return svg(figure)
