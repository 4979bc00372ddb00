"""`python -m zoo.compare`."""

import csv
import dataclasses
import json
import re
import shutil

import pytest

from tests.zoo.commands import (
    assert_fails_in_one_line,
    assert_refuses_flags,
    call_command,
)
from tests.zoo.comparison.conftest import NAMES
from zoo.comparison import comparing, files, measuring
from zoo.recipes_of_methods import METHODS

SMOKE = [  # those of `small_workdir`
    "--smoke",
    "--seeds=2",
    "--threads=0",  # as many as this process has
    '--set=diagnostics.metrics=["flip_ratio","weight_entropy"]',
    f"--recipes={','.join(NAMES)}",
]
FILES = [f"comparison.{suffix}" for suffix in ("json", "csv", "html", "png")]


@pytest.fixture
def compare(capsys):
    """`irnet-compare`."""
    return lambda *arguments: call_command("compare", arguments, capsys)


@pytest.fixture
def finished(small_workdir, tmp_path):
    """A copy of a comparison that is complete."""
    return shutil.copytree(small_workdir, tmp_path / "finished")


@pytest.fixture
def pool(monkeypatch):
    """Notes what is to be trained, and with which options; all of it fails."""
    calls = []

    def train_all(runs, **options):
        calls.append((runs, options))
        return {run.name: "The loss became nan." for run in runs}

    monkeypatch.setattr(comparing, "train_all", train_all)
    return calls


def trained(pool):
    """The recipes of the one comparison."""
    ((runs, _),) = pool
    return list(dict.fromkeys(run.folder.parent.name for run in runs))


def rows_of(stdout):
    """Those of the table, not what is reported before it."""
    rows = [line.split() for line in stdout.splitlines() if line.strip()]
    return [row for row in rows if "_resnet20_" in row[0]]


def test_table_and_files(compare, finished):
    # it goes on from runs that are there; that runs are trained is in test_run_pool
    outcome = compare(*SMOKE, f"--workdir={finished}")
    assert outcome.code == 0, outcome.stderr
    lines = outcome.stdout.splitlines()
    assert "ResNet20 on digits, 2 seeds, shrunk runs" in lines[0]
    assert max(map(len, lines[:-1])) <= 120
    with (finished / "comparison.csv").open() as file:
        written = list(csv.DictReader(file))
    shown = rows_of(outcome.stdout)[:2]
    assert [row[0] for row in shown] == [row["recipe"] for row in written] == NAMES
    for row, figures in zip(shown, written):
        assert row[2] == f"{100 * float(figures['test_mean']):.2f}"
        assert row[6] == f"{int(figures['tflite_bytes']):,}"
    assert [path for path in FILES if not (finished / path).exists()] == []
    about = json.loads((finished / "comparison.json").read_text())
    assert about["command"].startswith("python -m zoo.compare --smoke --seeds=2 ")
    assert f"times of {about['machine']}" in outcome.stdout


def test_progress_fits_a_narrow_terminal(capsys, monkeypatch, tmp_path):
    terminal = {"TERM": "xterm", "COLUMNS": "80", "FORCE_COLOR": "1"}

    def train_all(runs, *, progress, **options):
        with progress.of(runs, parallel=1):
            progress.started(runs[0])
            progress.update()
        return {run.name: "The loss became nan." for run in runs}

    monkeypatch.setattr(comparing, "train_all", train_all)
    arguments = ["--methods=float", f"--workdir={tmp_path}"]
    outcome = call_command("compare", arguments, capsys, **terminal)
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", outcome.stdout)
    lines = re.split(r"[\r\n]+", plain)
    assert any("0/120 epochs" in line for line in lines)
    assert max(map(len, lines)) <= 80


def test_what_settings_make_of_a_recipe_is_in_the_title(
    compare, finished, train_nothing, monkeypatch
):
    seen = []

    def compared(names, **options):
        comparison = comparing.compare(names, **options)
        configs = {
            name: config.with_settings({"network": "VGGSmall"})
            for name, config in comparison.configs.items()
        }
        seen.append(dataclasses.replace(comparison, configs=configs))
        return seen[-1]

    monkeypatch.setattr("zoo.comparison.compare", compared)
    outcome = compare(*SMOKE, f"--workdir={finished}")
    assert outcome.code == 0, outcome.stderr
    assert "VGGSmall on digits, 2 seeds, shrunk runs" in outcome.stdout


def test_again_nothing_is_trained_or_measured(compare, finished, monkeypatch):
    def fails(*arguments, **options):
        raise AssertionError("It is there and must not be made again.")

    monkeypatch.setattr(files, "write_comparison", lambda *args, **options: [])
    monkeypatch.setattr(measuring, "measure_steps", fails)
    monkeypatch.setattr(measuring, "_deployed", fails)
    first, second = (compare(*SMOKE, f"--workdir={finished}") for _ in range(2))
    assert first.code == 0, first.stderr
    assert first.stdout == second.stdout
    with pytest.raises(AssertionError, match="must not be made again"):
        compare(*SMOKE, "--remeasure", f"--workdir={finished}")


def test_a_failed_run(compare, finished, monkeypatch):
    failures = {f"{NAMES[1]}, seed 0": "The loss became nan."}
    monkeypatch.setattr(comparing, "train_all", lambda runs, **options: failures)
    outcome = compare(*SMOKE, f"--workdir={finished}")
    assert outcome.code == 1
    (line,) = outcome.stderr.strip().splitlines()
    assert line == (
        "error: 1 of 4 runs failed: irnet_resnet20_digits, seed 0: The loss became "
        "nan. The same command tries again."
    )
    assert [row[:2] for row in rows_of(outcome.stdout)[:2]] == [
        [NAMES[0], "2"],
        [NAMES[1], "1"],
    ]
    assert "The loss became nan." in (finished / "comparison.html").read_text()


def test_all_runs_have_failed(compare, pool, tmp_path):
    outcome = compare(*SMOKE, f"--workdir={tmp_path}")
    assert_fails_in_one_line(outcome, "4 of 4 runs failed", "The loss became nan.")
    assert list(tmp_path.iterdir()) == []


def test_interrupted(compare, monkeypatch, tmp_path):
    def train_all(runs, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(comparing, "train_all", train_all)
    outcome = compare(*SMOKE, f"--workdir={tmp_path}")
    assert (outcome.code, outcome.stderr) == (130, "interrupted\n")


def test_all_methods_with_three_seeds_by_default(compare, pool, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    compare()
    ((runs, options),) = pool
    assert trained(pool) == [f"{method}_resnet20_digits" for method in METHODS]
    assert [run.config.seed for run in runs] == [0] * 6 + [1] * 6 + [2] * 6
    assert {str(run.folder.parents[1]) for run in runs} == {"runs/compare"}
    assert {run.config.epochs for run in runs} == {40}
    looked_at = {run.config.method for run in runs if run.config.diagnostics}
    assert looked_at == set(METHODS) - {"float"}
    assert options["threads"] == 1


@pytest.mark.parametrize(
    "arguments, expected",
    [
        (["--recipes=irnet_resnet20_digits_sgd"], ["irnet_resnet20_digits_sgd"]),
        (["--methods=recu,irnet"], ["recu_resnet20_digits", "irnet_resnet20_digits"]),
        (
            ["--methods=dirnet", "--networks=resnet20,DARTS"],
            ["dirnet_resnet20_digits", "dirnet_darts_digits"],
        ),
        (
            ["--methods=float", "--recipes=dirnet_resnet20_digits_rbd"],
            ["float_resnet20_digits", "dirnet_resnet20_digits_rbd"],
        ),
        (["--methods=recu", "--dataset=cifar10"], ["recu_resnet20_cifar10"]),
    ],
    ids=lambda value: value[0],
)
def test_what_is_compared(arguments, expected, compare, pool, tmp_path):
    compare(*arguments, "--smoke", "--seeds=1", f"--workdir={tmp_path}")
    assert trained(pool) == expected


def test_settings_reach_the_runs(compare, pool, tmp_path):
    compare(
        "--methods=ir2net",
        "--seeds=2",
        "--set=learning_rate=0.5",
        "--set=restriction={}",
        "--nodiagnostics",
        "--parallel=3",
        "--threads=0",
        "--data_dir=data",
        f"--workdir={tmp_path}",
    )
    ((runs, options),) = pool
    configs = [run.config for run in runs]
    assert [(one.learning_rate, one.seed) for one in configs] == [(0.5, 0), (0.5, 1)]
    assert {(*one.restriction, *one.diagnostics) for one in configs} == {()}
    del options["progress"]
    assert options == {"parallel": 3, "threads": 0, "data_dir": "data"}


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["--recipes=nope"], ["Expected a recipe out of", "'nope'"]),
        (["--recipes=irnet_resnet20_digits,nope"], ["Expected a recipe", "'nope'"]),
        (["--recipes="], ["Expected at least one recipe"]),
        (["--methods="], ["Expected at least one method"]),
        (["--methods=nope"], ["'nope'"]),
        (["--dataset=nope"], ["'nope'"]),
        (
            ["--methods=recu", "--networks=VGGSmall"],
            ["recu with VGGSmall", "There are", "recu_resnet20_digits"],
        ),
        (["--methods=recu", "--set=colour=1"], ["Expected a setting", "'colour'"]),
    ],
    ids=lambda value: value[-1],
)
def test_errors_leave_nothing_behind(arguments, words, compare, tmp_path):
    outcome = compare(*arguments, f"--workdir={tmp_path / 'runs'}")
    assert_fails_in_one_line(outcome, *words)
    assert not (tmp_path / "runs").exists()


def test_a_workdir_that_cannot_be_written(compare, tmp_path):
    (tmp_path / "file").write_text("in the way")
    outcome = compare("--smoke", f"--workdir={tmp_path / 'file' / 'runs'}")
    assert_fails_in_one_line(outcome, "Cannot write", "Not a directory")


@pytest.mark.parametrize("flag", ["seeds=0", "seeds=many", "parallel=0", "threads=-1"])
def test_bad_flags(flag, compare, tmp_path):
    name = flag.partition("=")[0]
    assert_refuses_flags(compare(f"--workdir={tmp_path}", f"--{flag}"), f"--{name}")
