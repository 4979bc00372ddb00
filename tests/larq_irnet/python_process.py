"""Runs Python code in a fresh process, for what depends on the order of imports."""

import os
import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]


def run_python(code, *arguments, legacy_keras=None):
    """Runs `code`, with `TF_USE_LEGACY_KERAS` set to `legacy_keras` or unset."""
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "2"}
    environment.pop("TF_USE_LEGACY_KERAS", None)
    if legacy_keras is not None:
        environment["TF_USE_LEGACY_KERAS"] = legacy_keras
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        cwd=REPOSITORY,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
