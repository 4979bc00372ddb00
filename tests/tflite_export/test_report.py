"""The report as JSON and as a page."""

import html.parser
import json

import numpy as np
import pytest

from tflite_export.report_page import TrainingRecord, render_page
from tflite_export.report_plots import WeightHistogram


@pytest.fixture
def record():
    generator = np.random.default_rng(0)
    history = [
        {
            "epoch": float(epoch),
            "accuracy": 0.5,
            "val_accuracy": 0.4,
            "loss": 1.0,
            "val_loss": 1.1,
            "t": 0.1 * (1 + epoch),
            "k": 1.0,
        }
        for epoch in range(3)
    ]
    weights = WeightHistogram(
        "conv",
        generator.normal(size=50),
        generator.normal(size=50),
        np.sign([1, -1, 1]),
    )
    return TrainingRecord(
        "a <title>", "IR-Net", history, {"Full precision": 0.99}, [weights]
    )


class PageReader(html.parser.HTMLParser):
    """Collects open tags, links and headings."""

    def __init__(self):
        super().__init__()
        self.open, self.links, self.tags, self.text = [], [], [], ""

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.links += [v for k, v in attributes if k in ("src", "href") and v[0] != "#"]
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def read(page):
    reader = PageReader()
    reader.feed(page)
    assert reader.open == []
    return reader


def test_json_holds_the_whole_report(exported_residual):
    report = json.loads(exported_residual.report.to_json())
    assert report["model"] == "residual"
    assert report["model_bytes"] == len(exported_residual.flatbuffer)
    assert [one["layer"] for one in report["binary_layers"]] == ["first", "second"]
    assert len(report["verification"]["parts"]) > 5
    assert {one["kernel"] for one in report["verification"]["end_to_end"]} == {
        "default",
        "indirect",
    }


def test_the_page_needs_nothing_but_itself(exported_residual, record):
    reader = read(render_page(exported_residual.report, record))
    assert reader.links == []
    assert "script" not in reader.tags
    assert reader.tags.count("svg") == 5  # accuracy, size, latency, curves, weights


def test_the_page_shows_what_was_found(exported_residual, record):
    text = read(render_page(exported_residual.report, record)).text
    for words in ("2 / 2", "a <title>", "first", "LceBconv2d", "surrogate gradient"):
        assert words in text
    assert "verified" in text


def test_the_page_without_training(exported_residual):
    reader = read(render_page(exported_residual.report))
    assert reader.tags.count("svg") == 3


def test_pages_are_reproducible(exported_residual, record):
    pages = {render_page(exported_residual.report, record) for _ in range(2)}
    assert len(pages) == 1
