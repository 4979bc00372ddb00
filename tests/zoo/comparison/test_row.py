import csv
import dataclasses
import io
import json

import pytest

from tests.zoo.comparison.conftest import configs_of, measured_by_hand
from zoo.comparison.row import Accuracies, Row, rows_of, to_csv, to_json
from zoo.comparison.table import COLUMNS, cells

FLOAT, SGD = "float_resnet20_digits", "float_resnet20_digits_sgd"
IRNET, MOBILE = "irnet_resnet20_digits", "dirnet_mobilenet_v1_digits"
ACCURACIES = {
    FLOAT: Accuracies([0.5], [1.0, 0.9]),
    IRNET: Accuracies([0.25, 0.75], [0.7, 0.9]),
}


def some_rows(accuracies, **measured):
    names = list(accuracies)
    return rows_of(accuracies, configs_of(names), measured_by_hand(names, **measured))


@pytest.fixture
def rows():
    return some_rows(ACCURACIES)


def test_figures(rows):
    figures = dataclasses.asdict(rows[1])
    assert figures.pop("test") == (0.7, 0.9)
    assert figures == pytest.approx(
        {
            "recipe": IRNET,
            "label": "IR-Net",
            "method": "irnet",
            "network": "ResNet20",
            "seeds": 2,
            "test_mean": 0.8,
            "test_deviation": 0.02**0.5,  # unbiased
            "validation_mean": 0.5,
            "gap_to_float_points": -15.0,
            "tflite_bytes": 100_000,
            "times_smaller": 10.0,
            "binary_mac_share": 0.975,
            "latency_ms": 0.375,
            "kernel": "some kernel",
            "train_step_ms": 15.0,
            "train_step_to_float": 1.5,
        }
    )


def test_full_precision_is_its_own_measure(rows):
    float_row = rows[0]
    assert float_row.gap_to_float_points == 0.0
    assert float_row.times_smaller == float_row.train_step_to_float == 1.0


def test_a_single_seed_has_no_deviation():
    (row,) = some_rows({IRNET: Accuracies([0.5], [0.25])})
    assert (row.test_mean, row.test_deviation) == (0.25, None)


def test_without_full_precision_of_the_same_network_there_is_no_gap():
    accuracies = {**ACCURACIES, MOBILE: Accuracies([0.5], [0.5])}
    row = some_rows(accuracies)[-1]
    assert row.gap_to_float_points is None
    assert row.train_step_to_float is None
    assert row.times_smaller is None
    assert row.tflite_bytes == 100_000


def test_without_exports():
    rows = some_rows(ACCURACIES, deployed={})
    assert {(row.tflite_bytes, row.times_smaller, row.latency_ms) for row in rows} == {
        (None, None, None)
    }
    shown = dict(zip(COLUMNS, cells(rows)[1]))
    assert [title for title, text in shown.items() if text == "-"] == [
        ".tflite bytes",
        "times smaller",
        "latency ms",
    ]


def test_labels_tell_recipes_of_one_method_apart():
    accuracies = {**ACCURACIES, SGD: Accuracies([0.5], [0.5])}
    rows = some_rows(accuracies)
    assert [row.label for row in rows] == [FLOAT, "IR-Net", SGD]
    # the first one in full precision is what others are measured against
    assert rows[2].gap_to_float_points == pytest.approx(-45.0)


def test_labels_tell_networks_and_teachers():
    names = ["dirnet_resnet20_digits", "dirnet_resnet20_digits_rbd"]
    same_network = {name: Accuracies([0.5], [0.5]) for name in names}
    rows = some_rows(same_network)
    assert [row.label for row in rows] == ["DIR-Net", "DIR-Net + teacher"]
    names = [IRNET, MOBILE]
    two_networks = {name: Accuracies([0.5], [0.5]) for name in names}
    rows = some_rows(two_networks)
    assert [row.label for row in rows] == ["IR-Net, ResNet20", "DIR-Net, MobileNetV1"]


def test_what_was_trained_counts_not_what_the_recipe_says():
    names = list(ACCURACIES)
    settings = {"network": "VGGSmall", "dataset": "digit_scenes"}
    trained = {
        name: config.with_settings(settings)
        for name, config in configs_of(names).items()
    }
    rows = rows_of(ACCURACIES, trained, measured_by_hand(names))
    assert {row.network for row in rows} == {"VGGSmall"}
    assert rows[1].gap_to_float_points == pytest.approx(-15.0)
    # full precision of another network is no measure
    mixed = {**trained, names[0]: configs_of(names)[names[0]]}
    rows = rows_of(ACCURACIES, mixed, measured_by_hand(names))
    assert [row.network for row in rows] == ["ResNet20", "VGGSmall"]
    assert rows[1].gap_to_float_points is None
    assert rows[1].label == "IR-Net, VGGSmall"


def test_texts_of_the_table(rows):
    assert dict(zip(COLUMNS, cells(rows)[1])) == {
        "recipe": IRNET,
        "seeds": "2",
        "test %": "80.00",
        "±": "14.14",
        "to float, points": "-15.00",
        "val. %": "50.00",
        ".tflite bytes": "100,000",
        "times smaller": "10.00",
        "binary MACs %": "97.5",
        "latency ms": "0.375",
        "train step to float": "1.50",
    }


def test_json(rows):
    read = json.loads(to_json(rows, title="some"))
    assert read["title"] == "some"
    assert [Row(**{**row, "test": tuple(row["test"])}) for row in read["rows"]] == rows


def test_csv(rows):
    float_row, irnet_row = csv.DictReader(io.StringIO(to_csv(rows)))
    assert list(irnet_row) == [field.name for field in dataclasses.fields(Row)]
    assert irnet_row["recipe"] == IRNET
    assert irnet_row["test"] == "0.7 0.9"
    assert float(irnet_row["gap_to_float_points"]) == pytest.approx(-15.0)
    assert float(float_row["tflite_bytes"]) == 1_000_000


def test_what_is_not_known_is_empty_in_csv():
    rows = some_rows({IRNET: ACCURACIES[IRNET]}, deployed={})
    (row,) = csv.DictReader(io.StringIO(to_csv(rows)))
    assert (row["tflite_bytes"], row["gap_to_float_points"]) == ("", "")
