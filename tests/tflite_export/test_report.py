"""The report as JSON and as a page."""

import dataclasses
import html.parser
import json

import numpy as np
import pytest

from larq_irnet.diagnostics import EpochHistogram
from tflite_export.findings import Finding
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
            "dead_share": 0.01 * epoch,
            "stuck_share": 0.3 * epoch,
        }
        for epoch in range(3)
    ]
    histograms = [
        EpochHistogram(epoch, 0.85 + 0.02 * epoch, 6.0, (0, 3, 9, 4), 1)
        for epoch in (0, 1, 4)
    ]
    weights = WeightHistogram(
        "conv",
        generator.normal(size=50),
        generator.normal(size=50),
        np.sign([1, -1, 1]),
    )
    without_shares = [{"epoch": 0.0, "accuracy": 0.5}]
    return TrainingRecord(
        "a <title>",
        "IR-Net",
        history,
        {"Full precision": 0.99},
        [weights],
        {"IR-Net": history, "ReCU": history[:2], "Full precision": without_shares},
        {"IR-Net": histograms, "Full precision": []},
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
    # accuracy, size, latency, curves, shares, weights over epochs, weights
    assert reader.tags.count("svg") == 7


def test_the_page_shows_what_was_found(exported_residual, record):
    text = read(render_page(exported_residual.report, record)).text
    for words in ("2 / 2", "a <title>", "first", "LceBconv2d", "surrogate gradient"):
        assert words in text
    assert "verified" in text


def test_a_finding_of_many_layers_stands_on_the_page_once(exported_residual):
    findings = (
        Finding("slower", "one", "It is slow.", "Be quick."),
        Finding("note", "other", "It is slow.", "Be quick."),
        Finding("slower", "two", "It is slow.", "Be quick."),
    )
    report = dataclasses.replace(exported_residual.report, findings=findings)
    text = read(render_page(report)).text
    rows = text[text.index("remedy") : text.index("Binary layers")]
    assert rows.count("It is slow.") == rows.count("Be quick.") == 2
    assert rows.index("slower") < rows.index("one, two") < rows.index("other")


def test_dead_weights_of_all_runs_that_have_them(exported_residual, record):
    text = read(render_page(exported_residual.report, record)).text
    text = text.replace("\N{NO-BREAK SPACE}", " ")
    for words in (
        "dead weights, %",
        "stuck weights, %",
        "as 2 % do of a Laplace distribution and 0.18 % of a normal one",
        "Latent weights of IR-Net over the epochs",
        "quantiles ±Q(τ), τ from 0.850 to 0.930",
        "Between the lines ReCU",
    ):
        assert words in text
    _, _, section = text.partition("Dead weights")
    section, _, _ = section.partition("Weights of conv")
    assert "ReCU" in section  # in the legend
    assert "Full precision" not in section


def test_lines_of_methods_without_a_quantile(exported_residual, record):
    histograms = [EpochHistogram(0, 0.99, 6.0, (0, 3, 9, 4), 1)]
    record = dataclasses.replace(record, histograms={"STE": histograms})
    text = read(render_page(exported_residual.report, record)).text
    assert "quantiles ±Q(0.99)" in text
    assert "for comparison" in text
    assert "Between the lines" not in text


def test_a_schedule_that_ends_with_an_infinite_quantile(exported_residual, record):
    histograms = [EpochHistogram(e, 0.9 + 0.1 * e, 6.0, (1, 2), 0) for e in (0, 1)]
    record = dataclasses.replace(record, histograms={"ReCU": histograms})
    text = read(render_page(exported_residual.report, record)).text
    assert "τ from 0.900 to 1.000" in text


def test_the_page_without_figures_of_dead_weights(exported_residual, record):
    bare = dataclasses.replace(record, monitored={}, histograms={})
    reader = read(render_page(exported_residual.report, bare))
    assert "Dead weights" not in reader.text
    assert reader.tags.count("svg") == 5


def test_the_page_without_training(exported_residual):
    reader = read(render_page(exported_residual.report))
    assert reader.tags.count("svg") == 3


def test_pages_are_reproducible(exported_residual, record):
    pages = {render_page(exported_residual.report, record) for _ in range(2)}
    assert len(pages) == 1
