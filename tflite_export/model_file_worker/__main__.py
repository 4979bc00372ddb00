"""Reads a model file, in a process that may crash or hang.

Usage: python -m tflite_export.model_file_worker FILE FOLDER MODULE..., where the folder
gets config.json and weights.npz, or refusal.txt, and the modules register layers.
"""

import contextlib
import importlib
import sys
from pathlib import Path

import numpy as np

from tflite_export.model_file_error import ModelFileError
from tflite_export.saved_containers import load_saved_model


def _read(source: Path, target: Path) -> None:
    try:
        saved = load_saved_model(source)
    except ModelFileError as error:
        (target / "refusal.txt").write_text(str(error), encoding="utf-8")
        return
    (target / "config.json").write_text(saved.config, encoding="utf-8")
    np.savez(target / "weights.npz", *saved.weights)


if __name__ == "__main__":
    source, target, *modules = sys.argv[1:]
    for module in modules:
        with contextlib.suppress(ImportError):  # then its layers are refused
            importlib.import_module(module)
    _read(Path(source), Path(target))
