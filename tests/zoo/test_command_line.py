"""What the command lines share, with commands that do nothing."""

import logging

import pytest
from absl import app, flags
from absl import logging as absl_logging
from absl.testing import flagsaver

from tests.zoo.commands import Outcome, assert_fails_in_one_line
from zoo import recipes
from zoo.command_line import run_command, settings


@pytest.fixture
def outcome_of(monkeypatch, capsys):
    """Runs a command whose flags are parsed already."""

    def outcome_of(main, *, arguments=(), **options):
        monkeypatch.setattr(app, "run", lambda guarded: guarded(["name", *arguments]))
        with flagsaver.flagsaver():
            flags.FLAGS.mark_as_parsed()
            try:
                run_command(main, **options)
                stopped = SystemExit(None)
            except SystemExit as stop:
                stopped = stop
        return Outcome(stopped.code or 0, *capsys.readouterr())

    return outcome_of


def raising(error):
    def main():
        raise error

    return main


class Expected(RuntimeError):
    pass


def test_success(outcome_of):
    assert outcome_of(lambda: print("done")) == (0, "done\n", "")


@pytest.mark.parametrize(
    "error",
    [
        ValueError("bad value"),
        FileNotFoundError(2, "No such file or directory", "x"),
        PermissionError(13, "Permission denied", "x"),
        ImportError("missing package"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_expected_errors_are_one_line(outcome_of, error):
    outcome = outcome_of(raising(error))
    assert_fails_in_one_line(outcome)
    assert outcome.stderr == f"error: {error}\n"


def test_the_errors_of_a_command(outcome_of):
    outcome = outcome_of(raising(Expected("special")), errors=[Expected])
    assert outcome == (1, "", "error: special\n")


@pytest.mark.parametrize("error", [Expected("bug"), TypeError("bug"), KeyError("bug")])
def test_bugs_keep_their_traceback(outcome_of, error):
    with pytest.raises(type(error), match="bug"):
        outcome_of(raising(error))


def test_interruption(outcome_of):
    assert outcome_of(raising(KeyboardInterrupt())) == (130, "", "interrupted\n")


def test_arguments_that_are_not_flags(outcome_of):
    outcome = outcome_of(lambda: print("done"), arguments=["runs/demo"])
    assert_fails_in_one_line(outcome, "Expected flags only, got 'runs/demo'.")


def test_reports_of_libraries_are_silenced(outcome_of):
    seen = []
    outcome_of(lambda: seen.append(absl_logging.get_verbosity()))
    assert seen == [absl_logging.WARNING]


def test_verbosity_that_was_asked_for_stays(outcome_of, monkeypatch):
    monkeypatch.setattr(flags.FLAGS["verbosity"], "present", 1)
    before, seen = absl_logging.get_verbosity(), []
    outcome_of(lambda: seen.append(absl_logging.get_verbosity()))
    assert seen == [before]


def test_settings():
    texts = ["block=normal", "t_min=1e-3", "teacher={}", "name=a=b", "initial_weights="]
    assert settings(texts) == {
        "block": "normal",
        "t_min": 1e-3,
        "teacher": {},
        "name": "a=b",
        "initial_weights": "",
    }


@pytest.mark.parametrize("text", ["", "=", "=1", "seed"])
def test_texts_that_are_no_settings(text):
    with pytest.raises(ValueError, match=f"like 'name=value', got '{text}'"):
        settings([text])


def test_a_second_stage_without_first_stage_and_teacher():
    config = recipes.get("recu_reactnet18_imagenet").config
    alone = config.with_settings(
        settings(["initial_weights=", "teacher={}", "teacher_weights="])
    )
    assert (alone.initial_weights, alone.teacher, alone.teacher_weights) == ("", {}, "")
    with pytest.raises(ValueError, match="`teacher_weights` to be the place .* got ''"):
        config.with_settings(settings(["teacher_weights="]))


@pytest.fixture(autouse=True)
def same_logging():
    logger = logging.getLogger("absl")
    level = logger.level
    yield
    logger.setLevel(level)
