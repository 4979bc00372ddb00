import shutil

import pytest

from tests.zoo.commands import (
    assert_fails_in_one_line,
    assert_refuses_flags,
    call_command,
    run_command_line,
)


@pytest.fixture
def evaluate(capsys):
    """`irnet-evaluate`."""
    return lambda *arguments: call_command("evaluate", arguments, capsys)


@pytest.mark.parametrize("split, size", [("validation", 200), ("test", 400)])
def test_result_line(evaluate, small_run, split, size):
    before = sorted(small_run.path.rglob("*"))
    outcome = evaluate(f"--workdir={small_run.path}", f"--split={split}")
    results = small_run.results()[split]
    assert outcome.code == 0
    assert outcome.stdout == (
        f"ResNet20 irnet on {size} {split} images of digits: accuracy "
        f"{results['accuracy']:.2%}, loss {results['loss']:.4f}\n"
    )
    assert sorted(small_run.path.rglob("*")) == before


def test_an_empty_folder_as_a_user_sees_it(tmp_path):
    outcome = run_command_line("evaluate", f"--workdir={tmp_path}")
    assert_fails_in_one_line(outcome, "Expected a training run", str(tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_no_folder(evaluate, tmp_path):
    outcome = evaluate(f"--workdir={tmp_path / 'none'}")
    assert_fails_in_one_line(outcome, "config.json", "No such file or directory")
    assert list(tmp_path.iterdir()) == []


def test_a_run_that_is_not_finished(evaluate, small_run, tmp_path):
    shutil.copy(small_run.path / "config.json", tmp_path)
    outcome = evaluate(f"--workdir={tmp_path}")
    assert_fails_in_one_line(outcome, "Expected a finished run", "Train first")


@pytest.mark.parametrize("name", ["config.json", "model.keras"])
def test_a_damaged_run(evaluate, small_run, tmp_path, name):
    for intact in "config.json", "model.keras":
        shutil.copy(small_run.path / intact, tmp_path)
    (tmp_path / name).write_bytes(b"garbage")
    outcome = evaluate(f"--workdir={tmp_path}")
    assert_fails_in_one_line(outcome, "Cannot read", name)


@pytest.mark.parametrize(
    "arguments, word",
    [([], "--workdir"), (["--workdir=run", "--split=all"], "--split")],
)
def test_bad_flags(evaluate, arguments, word):
    assert_refuses_flags(evaluate(*arguments), word)
