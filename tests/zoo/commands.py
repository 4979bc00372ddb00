"""Runs the command lines: as a user does, and inside this process to save seconds."""

import contextlib
import importlib
import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest
from absl.testing import flagsaver

REPOSITORY = Path(__file__).resolve().parents[2]
PLAIN = {"COLUMNS": "120", "NO_COLOR": "1", "TERM": "dumb"}  # what tables look like

_TIMEOUT = 600


class Outcome(NamedTuple):
    code: int | str
    stdout: str
    stderr: str


def start_module(module, *arguments, **environment):
    """`python -m module arguments`, going on in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        cwd=REPOSITORY,
        env={**os.environ, **PLAIN, "TF_CPP_MIN_LOG_LEVEL": "2", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def outcome_of(process):
    """Waits for the end of a process."""
    try:
        stdout, stderr = process.communicate(timeout=_TIMEOUT)
    finally:
        process.kill()
    return Outcome(process.returncode, stdout, stderr)


def run_command_line(name, *arguments):
    """`python -m zoo.name arguments` in a process of its own."""
    return outcome_of(start_module(f"zoo.{name}", *arguments))


def call_command(name, arguments, capsys, **environment):
    """The console script of `zoo.name` inside this process."""
    with pytest.MonkeyPatch.context() as patch, _restored_logging():
        patch.setattr(sys, "argv", [name, *arguments])
        for variable, value in {**PLAIN, **environment}.items():
            patch.setenv(variable, value)
        patch.delitem(sys.modules, f"zoo.{name}", raising=False)
        with flagsaver.flagsaver():  # two commands cannot both define --workdir
            capsys.readouterr()
            with pytest.raises(SystemExit) as stopped:
                importlib.import_module(f"zoo.{name}").run()
        sys.modules.pop(f"zoo.{name}")
    return Outcome(stopped.value.code or 0, *capsys.readouterr())


@contextlib.contextmanager
def _restored_logging():
    loggers = [logging.getLogger(name) for name in (None, "absl", "zoo")]
    before = [(logger, logger.level, logger.handlers[:]) for logger in loggers]
    try:
        yield
    finally:
        for logger, level, handlers in before:
            logger.setLevel(level)
            logger.handlers[:] = handlers


def assert_fails_in_one_line(outcome, *words):
    assert outcome.code == 1
    assert "Traceback" not in outcome.stderr
    last = outcome.stderr.strip().splitlines()[-1]
    assert last.startswith("error: ")
    assert [word for word in words if word not in last] == []
    assert outcome.stdout == ""


def assert_refuses_flags(outcome, *words):
    """absl's own message for flags that are missing or not understood."""
    assert outcome.code != 0
    assert "Traceback" not in outcome.stderr
    assert "FATAL Flags parsing error" in outcome.stderr
    assert [word for word in words if word not in outcome.stderr] == []
    assert outcome.stdout == ""
