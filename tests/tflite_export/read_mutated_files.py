"""Reads many damaged versions of a model file, in a process that they may crash.

Usage: python -m tests.tflite_export.read_mutated_files FILE FOLDER FIRST LAST, where
FOLDER gets `current`, the seed that is being read, and outcomes.json, which grows.
"""

import json
import signal
import sys
from pathlib import Path

from tests.tflite_export.mutations import mutated
from tflite_export.model_file_error import ModelFileError
from tflite_export.saved_containers import load_saved_model

SECONDS = 20  # then the process is killed, which native code cannot prevent


def outcome(path: Path) -> str:
    signal.alarm(SECONDS)
    try:
        load_saved_model(path)
        return "model"
    except ModelFileError as error:
        return "refusal" if str(path) in str(error) else f"unclear: {error}"
    except BaseException as error:  # what a caller would not expect
        return f"{type(error).__name__}: {error}"
    finally:
        signal.alarm(0)


if __name__ == "__main__":
    source, folder = map(Path, sys.argv[1:3])
    content = source.read_bytes()
    path, results = folder / source.name, folder / "outcomes.json"
    outcomes = json.loads(results.read_text()) if results.exists() else {}
    for seed in range(*map(int, sys.argv[3:5])):
        (folder / "current").write_text(str(seed))
        path.write_bytes(mutated(content, seed))
        outcomes.setdefault(outcome(path), []).append(seed)
        results.write_text(json.dumps(outcomes))
