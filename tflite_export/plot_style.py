"""How all plots of the report look."""

import io
from typing import Any

from matplotlib.figure import Figure

__all__ = ["BINARY", "FLOAT", "GRID", "OTHER", "STYLE", "WIDTH", "svg"]

BINARY, FLOAT, OTHER, GRID = "#0b7285", "#868e96", "#e8590c", "#dee2e6"
WIDTH = 5.2  # inches: a column of the page, and the width of a phone
STYLE: Any = {
    "axes.edgecolor": "#adb5bd",
    "axes.spines.right": False,
    "axes.spines.top": False,
    "font.family": "sans-serif",
    "font.size": 10,
    "svg.fonttype": "none",  # text stays text
    "svg.hashsalt": "larq-irnet",  # the same plot gives the same file
}


def svg(figure: Figure) -> str:
    """A figure as SVG text to be placed in a page; the same figure gives the same."""
    buffer = io.StringIO()
    metadata = {"Date": None, "Creator": None}
    figure.savefig(buffer, format="svg", transparent=True, metadata=metadata)
    text = buffer.getvalue()
    return text[text.index("<svg") :]
