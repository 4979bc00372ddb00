import json

import pytest

from larq_irnet.diagnostics import EpochHistogram, HistogramFile


def histogram(epoch, tau=0.99):
    return EpochHistogram(epoch, tau, 6.0, (epoch, 2, 99_999_999) * 32, 5)


@pytest.fixture
def file(tmp_path):
    return HistogramFile(tmp_path / "weight_histograms.json")


def append(file, epochs):
    for epoch in epochs:
        file.append(histogram(epoch))


def test_what_was_appended_is_read(file):
    assert file.read() == []
    append(file, range(3))
    assert file.read() == [histogram(epoch) for epoch in range(3)]
    assert [path.name for path in file.path.parent.iterdir()] == [file.path.name]


@pytest.mark.parametrize(
    "epochs, kept",
    [
        (32, [*range(32)]),
        (33, [*range(0, 33, 2)]),
        (34, [*range(0, 34, 2), 33]),
        (600, [*range(0, 600, 32), 599]),
    ],
)
def test_epochs_that_are_kept(file, epochs, kept):
    append(file, range(epochs))
    assert [one.epoch for one in file.read()] == kept
    # counts of eight digits, as in a network of 100 million weights
    assert file.path.stat().st_size < 50_000


@pytest.mark.parametrize("first", [0, 31, 33, 64])
@pytest.mark.parametrize("reached", [33, 70])
def test_epochs_that_are_run_again(file, tmp_path, first, reached):
    whole = HistogramFile(tmp_path / "whole.json")
    append(whole, range(70))
    append(file, range(reached))
    for epoch in range(min(first, reached), reached):
        file.append(histogram(epoch, tau=0.5))  # replaced in what follows
    append(file, range(min(first, reached), 70))
    assert file.path.read_bytes() == whole.path.read_bytes()


def test_a_run_that_begins_again_forgets_the_old_one(file):
    append(file, range(5))
    append(file, [0])
    assert file.read() == [histogram(0)]


@pytest.mark.parametrize(
    "content", ["", "garbage", "{}", "[3]", '[{"epoch": 1}]', '[{"counts": [1]}]']
)
def test_files_with_something_else(file, content):
    if content == "{}":
        content = json.dumps({"epoch": 1})
    file.path.write_text(content)
    for access in file.read, lambda: file.append(histogram(1)):
        with pytest.raises(ValueError, match=r"histograms of weights in .*\.json, got"):
            access()
    assert file.path.read_text() == content
