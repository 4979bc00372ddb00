"""What all pages share: their templates, and what a plot on them is."""

from dataclasses import dataclass
from pathlib import Path

import jinja2

__all__ = ["Plot", "kilobytes", "number", "page_environment", "percent"]


@dataclass(frozen=True)
class Plot:
    """A plot on a page, for the macro `figure` of page_parts.html.jinja.

    # Attributes
        title: Above it.
        svg: The plot.
        note: Below it; empty for nothing.
    """

    title: str
    svg: str
    note: str = ""


def percent(share: float | None, digits: int = 2) -> str:
    """A share in [0, 1] in percent; a dash for one that is not known."""
    return "–" if share is None else f"{100 * share:.{digits}f} %"


def number(value: float | None, digits: int = 1, unit: str = "") -> str:
    """A number with so many digits behind the point, or a dash."""
    return "–" if value is None else f"{value:,.{digits}f}{unit}"


def kilobytes(size: int) -> str:
    """A number of bytes in kB of 1000 bytes."""
    return f"{size / 1e3:,.1f} kB"


def _megacount(count: int) -> str:
    return f"{count / 1e6:,.2f} M"


def page_environment(folder: Path) -> jinja2.Environment:
    """The templates of a folder, and those that all pages share.

    # Arguments
        folder: Where the template of the page lies.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader([folder, Path(__file__).parent]),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters |= {
        "kilobytes": kilobytes,
        "megacount": _megacount,
        "number": number,
        "percent": percent,
    }
    return environment
