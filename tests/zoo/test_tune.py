import json

import pytest

from tests.zoo.commands import (
    assert_fails_in_one_line,
    assert_refuses_flags,
    call_command,
)
from tests.zoo.test_tuning import finish
from zoo import run_pool

RATES = {0.003: 0.85, 0.01: 0.95, 0.03: 0.9}


@pytest.fixture
def tune(capsys):
    """`irnet-tune`."""
    return lambda *arguments: call_command("tune", arguments, capsys)


@pytest.fixture
def trained(monkeypatch):
    """Runs end at once, as well as their learning rate; the largest one diverges."""
    seen = []

    def train_all(runs, **options):
        seen.append(options)
        failures = {}
        for run in runs:
            rate = run.config.learning_rate
            if rate in RATES:
                finish(run, RATES[rate] + run.config.seed / 1e4)
            else:
                failures[run.name] = "The loss became nan in epoch 1, step 1."
        return failures

    monkeypatch.setattr(run_pool, "train_all", train_all)
    return seen


def rows(outcome):
    lines = (line for line in outcome.stdout.splitlines() if line.startswith("│"))
    return [[cell.strip() for cell in line.strip("│").split("│")] for line in lines]


def test_tables_and_file(tune, trained, tmp_path):
    outcome = tune(
        "--methods=irnet,float",
        "--grid=learning_rate=0.003,0.01,0.03",
        f"--workdir={tmp_path}",
        "--threads=2",
        "--parallel=3",
    )
    assert outcome.code == 0, outcome.stderr
    assert trained[0]["parallel"] == 3
    assert trained[0]["threads"] == 2
    expected = [
        ["", "learning_rate=0.003", "86.00", "0.01", "86.00 86.01", "1.0000"],
        ["*", "learning_rate=0.01", "96.00", "0.01", "96.00 96.01", "1.0000"],
        ["", "learning_rate=0.03", "91.00", "0.01", "91.00 91.01", "1.0000"],
    ]
    assert rows(outcome) == [*expected, *expected]
    for recipe in "irnet_resnet20_digits", "float_resnet20_digits":
        assert f"{recipe}, validation; * is the best" in outcome.stdout
    content = json.loads((tmp_path / "tuning.json").read_text())
    assert [one["best"] for one in content["recipes"]] == [{"learning_rate": 0.01}] * 2
    assert content["grid"] == {"learning_rate": [0.003, 0.01, 0.03]}
    assert content["seeds"] == [100, 101]
    assert content["failures"] == {}


def test_a_run_that_failed_is_told_and_not_chosen(tune, trained, tmp_path):
    outcome = tune(
        "--recipes=irnet_resnet20_digits",
        "--grid=learning_rate=0.01,9.0",
        "--seeds=7",
        f"--workdir={tmp_path}",
    )
    assert outcome.code == 1
    last = outcome.stderr.strip().splitlines()[-1]
    assert last == (
        "error: 1 of the runs failed and were not chosen from, first "
        "irnet_resnet20_digits, learning_rate=9.0, seed 7: The loss became nan in "
        "epoch 1, step 1."
    )
    assert [row[0] for row in rows(outcome)] == ["*", ""]
    assert rows(outcome)[1][2:] == ["-", "-", "failed", "-"]
    assert len(json.loads((tmp_path / "tuning.json").read_text())["failures"]) == 1


def test_bad_flags(tune, tmp_path):
    assert_refuses_flags(tune(), "workdir")
    outcome = tune("--seeds=a", f"--workdir={tmp_path}")
    assert outcome.code == 1
    assert "Expected --seeds to be whole numbers, got ['a']" in outcome.stderr


def test_a_foreign_file_is_reported_before_anything_trains(tune, trained, tmp_path):
    (tmp_path / "tuning.json").write_text('{"a": 1}')
    outcome = tune("--methods=irnet", f"--workdir={tmp_path}")
    assert_fails_in_one_line(outcome, "Expected the outcome of a tuning", "Remove")
    assert trained == []
