import dataclasses
import json
import re
from html.parser import HTMLParser

import matplotlib.image
import numpy as np
import pytest

from tests.zoo.comparison.conftest import TITLE, curve
from zoo.comparison import files, plots
from zoo.comparison.files import write_comparison
from zoo.comparison.page import render_page
from zoo.comparison.row import to_csv, to_json
from zoo.comparison.table import COLUMNS, cells

VOID = {"meta", "br", "path", "use", "rect", "image", "line", "circle"}


class Page(HTMLParser):
    """Texts by the element that they are in, and whether all elements are closed."""

    def __init__(self, html):
        super().__init__()
        self.open: list[str] = []
        self.texts: list[tuple[str, str]] = []
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data):
        if data.strip() and self.open:
            self.texts.append((self.open[-1], data.strip()))

    def of(self, tag):
        return [text for element, text in self.texts if element == tag]


def page_of(comparison, **about):
    """Without curves, which take seconds to draw."""
    plain = dataclasses.replace(comparison, validation={}, diagnostics={})
    html = render_page(plain, title=TITLE, about=about)
    return Page(html), html


@pytest.fixture
def html(made_up_files):
    return (made_up_files / "comparison.html").read_text()


@pytest.fixture
def page(html):
    return Page(html)


def test_it_is_whole(page):
    assert page.open == []


def test_the_table_is_that_of_the_console(made_up, page):
    assert page.of("h1") == page.of("title") == [TITLE]
    assert page.of("th")[: len(COLUMNS)] == list(COLUMNS)
    shown = [text for row in cells(made_up.rows) for text in row]
    assert page.of("td")[: len(shown)] == shown


def test_figures_of_the_binary_layers_at_the_end(made_up, page):
    diagnostics = made_up.diagnostics
    titles = page.of("th")[len(COLUMNS) :]
    assert titles[0] == "last measured"
    assert all(title.endswith(", epoch\N{NO-BREAK SPACE}40") for title in titles[1:])
    assert [title.partition(",")[0] for title in titles[1:]] == [
        *("Information of weights", "Information of activations"),
        *("Quantization error", "Flips", "Dead weights", "Gradient mismatch"),
    ]
    start = len(COLUMNS) * len(made_up.rows)
    shown = page.of("td")[start:][: len(titles) * (len(made_up.rows) - 1)]
    lines = [shown[i : i + len(titles)] for i in range(0, len(shown), len(titles))]
    assert [line[0] for line in lines] == [row.label for row in made_up.rows[1:]]
    recu = made_up.rows[3].recipe
    assert lines[2][1] == f"{diagnostics['weight_entropy'][recu].mean[-1]:.3f}"
    assert lines[2][5] == f"{100 * diagnostics['dead_share'][recu].mean[-1]:.1f}"


def test_a_figure_that_is_no_number_is_not_known(made_up):
    name = made_up.rows[1].recipe
    early = plots.Curve(np.array([1, 14]), np.array([0.5, np.nan]), np.zeros(2))
    one = dataclasses.replace(
        made_up, validation={}, diagnostics={"gradient_cosine": {name: early}}
    )
    page = Page(render_page(one, title=TITLE, about={}))
    assert page.of("th")[-1] == "Gradient mismatch, cosine, epoch\N{NO-BREAK SPACE}14"
    start = len(COLUMNS) * len(made_up.rows)
    assert page.of("td")[start:][:2] == [made_up.rows[1].label, "-"]


def test_the_deviation_of_a_single_run_is_not_known(made_up, tmp_path):
    rows = [dataclasses.replace(made_up.rows[1], seeds=1, test_deviation=None)]
    one = dataclasses.replace(made_up, rows=rows, validation={})
    write_comparison(one, tmp_path, title=TITLE, about={})
    written = json.loads((tmp_path / "comparison.json").read_text())
    figures = written["diagnostics"][rows[0].recipe]
    assert figures["flip_ratio"]["mean"] > 0
    assert {figure["deviation"] for figure in figures.values()} == {None}


def test_arithmetic_is_told(made_up):
    page, _ = page_of(made_up)
    assert page.of("td")[-3:-1] == ["threads of a run", "oneDNN kernels"]
    assert page.of("span")[:2] == ["1", "on"]
    page, html = page_of(
        dataclasses.replace(made_up, arithmetic={"threads": 0, "cores": 2})
    )
    assert page.of("span")[:5] == ["all,", "2", "cores", "not", "known"]
    _, html = page_of(dataclasses.replace(made_up, arithmetic={}))
    assert "oneDNN" not in html


def test_every_plot_says_what_it_shows(page):
    assert page.of("figcaption") == [
        "Accuracy",
        "Accuracy against size",
        "Learning curves",
        "Accuracy against latency",
        *("Information of weights", "Quantization error", "Dead weights"),
        *("Information of activations", "Flips", "Gradient mismatch"),
    ]
    labels = page.of("text")
    for label in (
        "top-1 accuracy on the test images, %",
        "size of the .tflite, kB (1 kB = 1,000 bytes)",
        "latency, ms per image",
        "bits per binary weight",
        "bits per binary activation",
        "% of the weights' energy",
        "% of the weights, per epoch",
        "% of the weights",
        "cosine",
    ):
        assert labels.count(label) == 1
    assert labels.count("epoch") == 7
    assert labels.count("test accuracy, %") == 2
    # in the axis of the first plot, and in legends; float has no binary layers
    titles = ["Full precision", "STE", "IR-Net", "ReCU", "IR2Net"]
    assert [labels.count(title) for title in titles] == [4, 10, 10, 10, 10]


def test_the_page_needs_nothing_but_itself(html):
    assert re.findall(r"""(?:src|href)=["'](?!#|data:)[^"']*""", html) == []
    assert "<script" not in html


def test_headlines_are_of_the_method_that_validation_chose(made_up):
    best = dataclasses.replace(made_up.rows[3], validation_mean=1.0)
    rows = [*made_up.rows[:3], best, *made_up.rows[4:]]
    page, html = page_of(dataclasses.replace(made_up, rows=rows))
    assert page.of("strong")[:2] == [f"{100 * best.test_mean:.2f} %", "-1.20"]
    assert "ReCU, best on the validation images" in html


def test_failures_and_refused_exports_are_shown(made_up):
    measured = dataclasses.replace(made_up.measured, not_exported={"a": "<odd>"})
    failing = dataclasses.replace(
        made_up, measured=measured, failures={"some, seed 1": "The loss became nan."}
    )
    page, html = page_of(failing, command="python -m zoo.compare --set=a=<b>")
    assert page.of("li") == [
        "some, seed 1 has failed and is left out: The loss became nan."
    ]
    assert "a was not exported: &lt;odd&gt;" in html
    assert page.of("span")[:4] == ["python", "-m", "zoo.compare", "--set=a=<b>"]


def test_without_exports_and_diagnostics(made_up):
    rows = [
        dataclasses.replace(row, tflite_bytes=None, latency_ms=None, times_smaller=None)
        for row in made_up.rows
    ]
    measured = dataclasses.replace(made_up.measured, deployed={})
    bare = dataclasses.replace(made_up, rows=rows, measured=measured)
    page, html = page_of(bare)
    assert page.of("figcaption") == ["Accuracy"]
    assert "Inside the binary layers" not in html
    assert "pip install" in html


def test_a_single_seed_and_a_single_epoch(made_up):
    rows = [
        dataclasses.replace(row, test_deviation=None, test=row.test[:1])
        for row in made_up.rows[1:2]
    ]
    single = dataclasses.replace(
        made_up,
        rows=rows,
        validation={rows[0].recipe: curve(0.2, 0.2, [1])},
        diagnostics={"flip_ratio": {rows[0].recipe: curve(0.2, 0.2, [1])}},
    )
    page = Page(render_page(single, title=TITLE, about={}))
    assert "97.85" in page.of("text")
    assert page.of("text").count("1") == 2  # the only epoch, of two plots


def test_a_band_down_to_zero_on_a_logarithmic_axis_keeps_its_shape(made_up):
    def corners_of_band(deviation):
        mean = np.array([0.5, 0.1, 0.3, 0.1, 0.2])
        flips = plots.Curve(np.arange(1, 6), mean, np.array(deviation))
        row = made_up.rows[1]
        flip_ratio = plots.DIAGNOSTICS["flip_ratio"]
        svg = plots.diagnostic_panel([row], {row.recipe: flips}, flip_ratio)
        (path,) = re.findall(r'PolyCollection_1".*?<path .*?d="(M.*?)"', svg, re.DOTALL)
        return len(re.findall("[ML]", path))

    narrow = corners_of_band([0.01, 0.01, 0.02, 0.01, 0.05])
    assert corners_of_band([0.01, 0.01, 0.4, 0.01, 0.2]) == narrow


def test_recipes_beyond_the_colours_are_told_apart(made_up):
    rows = [
        dataclasses.replace(made_up.rows[1], recipe=f"recipe_{number}")
        for number in range(12)
    ]
    looks = plots._looks(rows)
    assert len({(look.colour, look.line) for look in looks.values()}) == 12
    assert len({(look.colour, look.marker) for look in looks.values()}) == 12


def test_nothing_to_show(made_up):
    nothing = dataclasses.replace(made_up, rows=(), measured=None)
    with pytest.raises(ValueError, match="a finished run, got none"):
        render_page(nothing, title=TITLE, about={})


def test_files(made_up, made_up_files):
    assert sorted(path.name for path in made_up_files.iterdir()) == [
        "comparison.csv",
        "comparison.html",
        "comparison.json",
        "comparison.png",
    ]
    assert (made_up_files / "comparison.csv").read_text() == to_csv(made_up.rows)
    written = json.loads((made_up_files / "comparison.json").read_text())
    diagnostics = written.pop("diagnostics")
    about = {
        "title": TITLE,
        "command": "some " * 40,
        "arithmetic": {"threads": 1, "cores": 2, "onednn": True},
        "machine": "some machine",
        "failures": {},
        "not_exported": {},
    }
    assert written == json.loads(to_json(made_up.rows, **about))
    names = [row.recipe for row in made_up.rows]
    assert list(diagnostics) == names
    assert diagnostics[names[0]] == {}
    last = made_up.diagnostics["flip_ratio"][names[2]]
    assert diagnostics[names[2]]["flip_ratio"] == {
        "epoch": 40,
        "mean": last.mean[-1],
        "deviation": last.deviation[-1],
    }


def test_the_picture_is_small_and_drawn(made_up_files):
    path = made_up_files / "comparison.png"
    assert path.stat().st_size < 60_000
    picture = matplotlib.image.imread(path)
    assert 400 < picture.shape[1] < 1000
    for colour in plots._COLOURS:
        wanted = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        distance = np.abs(picture[..., :3] - wanted).max(axis=-1)
        assert (distance < 0.02).sum() > 50, colour


def test_without_jinja2_there_is_no_page(made_up, tmp_path, monkeypatch):
    find_spec = files.importlib.util.find_spec
    monkeypatch.setattr(
        files.importlib.util,
        "find_spec",
        lambda name: None if name == "jinja2" else find_spec(name),
    )
    write_comparison(made_up, tmp_path, title=TITLE, about={})
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["comparison.csv", "comparison.json"]
