import shutil

import pytest

from tests.zoo.commands import (
    assert_fails_in_one_line,
    assert_refuses_flags,
    call_command,
    run_command_line,
)
from zoo import recipes, training


@pytest.fixture
def compare(capsys):
    """`irnet-compare`."""
    return lambda *arguments: call_command("compare", arguments, capsys)


@pytest.fixture
def no_training(monkeypatch):
    """Runs give an accuracy of a tenth for each seed, in no time."""

    def run(config, workdir, *, progress, **options):
        return {
            split: {"accuracy": config.seed / 10} for split in ("validation", "test")
        }

    monkeypatch.setattr(training, "run", run)


def test_smoke_as_a_user_sees_it(finished_run, tmp_path):
    # it goes on from a run that is there; that it trains is in test_comparison
    run = tmp_path / "irnet_resnet20_digits" / "seed0"
    shutil.copytree(finished_run.path, run)
    outcome = run_command_line(
        "compare",
        "--smoke",
        "--seeds=1",
        "--recipes=irnet_resnet20_digits",
        f"--workdir={tmp_path}",
    )
    assert outcome.code == 0, outcome.stderr
    accuracy = f"{100 * finished_run.results()['test']['accuracy']:.2f}"
    lines = outcome.stdout.splitlines()
    assert lines[0] == f"irnet_resnet20_digits: {accuracy}%"
    (row,) = (line for line in lines if line.startswith("│"))
    assert row.split("│")[3].strip() == accuracy
    assert [path.name for path in tmp_path.iterdir()] == ["irnet_resnet20_digits"]


def test_table(compare, no_training, tmp_path):
    outcome = compare(
        "--seeds=3",
        "--recipes=irnet_resnet20_digits,float_resnet20_digits",
        f"--workdir={tmp_path}",
    )
    assert outcome.code == 0
    assert "Top-1 accuracy, mean of 3 seeds" in outcome.stdout
    rows = [line for line in outcome.stdout.splitlines() if line.startswith("│")]
    # mean and unbiased deviation of 0, 10 and 20 %
    numbers = ["10.00", "10.00", "10.00", "0.00 10.00 20.00"]
    assert [[cell.strip() for cell in row.split("│")[1:-1]] for row in rows] == [
        ["irnet_resnet20_digits", *numbers],
        ["float_resnet20_digits", *numbers],
    ]


def test_other_settings(compare, monkeypatch, tmp_path):
    rates = []

    def run(config, workdir, **options):
        rates.append((config.learning_rate, dict(config.restriction), config.seed))
        return {split: {"accuracy": 0.5} for split in ("validation", "test")}

    monkeypatch.setattr(training, "run", run)
    outcome = compare(
        "--seeds=2",
        "--recipes=ir2net_resnet20_digits",
        "--set=learning_rate=0.5",
        "--set=restriction={}",
        f"--workdir={tmp_path}",
    )
    assert outcome.code == 0, outcome.stderr
    assert rates == [(0.5, {}, 0), (0.5, {}, 1)]


def test_a_setting_that_there_is_not(compare, no_training, tmp_path):
    outcome = compare(
        "--recipes=irnet_resnet20_digits", "--set=colour=1", f"--workdir={tmp_path}"
    )
    assert_fails_in_one_line(outcome, "Expected a setting out of", "'colour'")


def test_one_seed_has_no_deviation(compare, no_training, tmp_path):
    outcome = compare(
        "--seeds=1", "--recipes=irnet_resnet20_digits", f"--workdir={tmp_path}"
    )
    (row,) = (line for line in outcome.stdout.splitlines() if line.startswith("│"))
    assert [cell.strip() for cell in row.split("│")[4:-1]] == ["-", "0.00"]


def test_all_recipes_that_need_nothing_before_are_the_default(
    compare, no_training, tmp_path
):
    outcome = compare("--seeds=1", f"--workdir={tmp_path}")
    rows = [line for line in outcome.stdout.splitlines() if line.startswith("│")]
    expected = [name for name in recipes.names() if name.endswith(("digits", "_sgd"))]
    assert [row.split("│")[1].strip() for row in rows] == expected
    assert {"irnet_resnet20_digits", "float_resnet20_digits_sgd"} <= set(expected)
    assert "dirnet_resnet20_digits_rbd" not in expected  # needs a trained teacher


@pytest.mark.parametrize("names", ["nope", "irnet_resnet20_digits,nope", ""])
def test_unknown_recipes_leave_nothing_behind(compare, tmp_path, names):
    outcome = compare(f"--recipes={names}", f"--workdir={tmp_path / 'runs'}")
    assert_fails_in_one_line(outcome, "Expected", "recipe")
    assert not (tmp_path / "runs").exists()


def test_a_workdir_that_cannot_be_written(compare, tmp_path):
    (tmp_path / "file").write_text("in the way")
    outcome = compare("--smoke", f"--workdir={tmp_path / 'file' / 'runs'}")
    assert_fails_in_one_line(outcome, "Expected a workdir that can be written")


@pytest.mark.parametrize(
    "arguments, word",
    [
        ([], "--workdir"),
        (["--workdir=runs", "--seeds=0"], "--seeds"),
        (["--workdir=runs", "--seeds=many"], "--seeds"),
    ],
    ids=lambda value: str(value[-1:]),
)
def test_bad_flags(compare, arguments, word):
    assert_refuses_flags(compare(*arguments), word)
