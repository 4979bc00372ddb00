"""The files that a comparison leaves in its folder."""

import importlib.util
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from larq_irnet.atomic_path import atomic_path
from zoo.comparison.comparing import Comparison
from zoo.comparison.row import to_csv, to_json
from zoo.workdir_error import writing

__all__ = ["write_comparison"]


def _last_figures(comparison: Comparison) -> dict[str, dict[str, Any]]:
    """The last figures of the binary layers, by recipe and metric."""
    unknown = {"deviation": None}  # of a single run
    return {
        row.recipe: {
            metric: {**curves[row.recipe].last(), **(unknown if row.seeds == 1 else {})}
            for metric, curves in comparison.diagnostics.items()
            if row.recipe in curves
        }
        for row in comparison.rows
    }


def write_comparison(
    comparison: Comparison, workdir: str | Path, *, title: str, about: Mapping[str, str]
) -> list[Path]:
    """Writes `comparison.json`, `.csv`, `.html` and `.png`.

    Without jinja2 or matplotlib the last two are left out.

    # Arguments
        comparison: With at least one row.
        workdir: Its folder.
        title: Of the page and the picture.
        about: How it was made, by name.

    # Returns
        The files.

    # Raises
        WorkdirError: if one cannot be written.
    """
    if comparison.measured is None:
        raise ValueError("Expected a comparison with a finished run, got none.")
    contents: dict[str, bytes] = {
        "comparison.json": to_json(
            comparison.rows,
            title=title,
            **about,
            arithmetic=dict(comparison.arithmetic),
            machine=comparison.measured.machine,
            failures=dict(comparison.failures),
            not_exported=dict(comparison.measured.not_exported),
            diagnostics=_last_figures(comparison),
        ).encode(),
        "comparison.csv": to_csv(comparison.rows).encode(),
    }
    if all(importlib.util.find_spec(name) for name in ("jinja2", "matplotlib")):
        from zoo.comparison.page import render_page
        from zoo.comparison.plots import accuracy_png

        page = render_page(comparison, title=title, about=about)
        contents["comparison.html"] = page.encode()
        contents["comparison.png"] = accuracy_png(comparison.rows, title)
    paths = []
    for name, content in contents.items():
        path = Path(workdir) / name
        with writing(path), atomic_path(path) as partial:
            partial.write_bytes(content)
        paths.append(path)
    return paths
