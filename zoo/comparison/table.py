"""The table of a comparison, for the console and the page."""

import textwrap
from collections.abc import Callable, Sequence

import rich.box
import rich.table

from zoo.comparison.row import Row

__all__ = ["COLUMNS", "cells", "rich_table"]

_UNKNOWN = "-"
_TITLE_WIDTH = 9  # characters of the title of a column


def _number(value: float | None, form: str) -> str:
    return _UNKNOWN if value is None else format(value, form)


def _percent(share: float | None, digits: int = 2) -> str:
    return _UNKNOWN if share is None else f"{100 * share:.{digits}f}"


COLUMNS: dict[str, Callable[[Row], str]] = {
    "recipe": lambda row: row.recipe,
    "seeds": lambda row: str(row.seeds),
    "test %": lambda row: _percent(row.test_mean),
    "±": lambda row: _percent(row.test_deviation),
    "to float, points": lambda row: _number(row.gap_to_float_points, "+.2f"),
    "val. %": lambda row: _percent(row.validation_mean),
    ".tflite bytes": lambda row: _number(row.tflite_bytes, ",d"),
    "times smaller": lambda row: _number(row.times_smaller, ".2f"),
    "binary MACs %": lambda row: _percent(row.binary_mac_share, 1),
    "latency ms": lambda row: _number(row.latency_ms, ".3f"),
    "train step to float": lambda row: _number(row.train_step_to_float, ".2f"),
}
"""What a column shows of a row, by its title."""


def cells(rows: Sequence[Row]) -> list[list[str]]:
    """The texts of the table, row by row; "-" is what is not known."""
    return [[show(row) for show in COLUMNS.values()] for row in rows]


def rich_table(rows: Sequence[Row], title: str) -> rich.table.Table:
    """The table for the console.

    # Arguments
        rows: At least one.
        title: Above the table.
    """
    table = rich.table.Table(
        title=title, box=rich.box.SIMPLE_HEAD, padding=(0, 1, 0, 0)
    )
    for name in COLUMNS:
        table.add_column(
            "\n".join(textwrap.wrap(name, _TITLE_WIDTH)),
            justify="left" if name == "recipe" else "right",
            no_wrap=True,
        )
    for row in cells(rows):
        table.add_row(*row)
    return table
