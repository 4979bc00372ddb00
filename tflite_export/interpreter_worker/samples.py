"""Runs models for `tflite_export.interpreting.run_samples`; the process may crash.

Reads pickled requests from standard input, each the bytes of a .tflite, samples and
options, and answers each on standard output. Larq Compute Engine's native module is
loaded by its path: its package would import TensorFlow, which takes seconds.
"""

import importlib.machinery
import importlib.util
import os
import pickle
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

_NAME = "interpreter_wrapper_lite"
_OPTIONS = ("use_reference_bconv", "use_indirect_bgemm", "use_xnnpack")


def _native_module() -> Any:
    package = importlib.util.find_spec("larq_compute_engine")
    if package is None or package.submodule_search_locations is None:
        raise ImportError("Expected larq-compute-engine, found none.")
    folder = Path(package.submodule_search_locations[0], "tflite", "python")
    for suffix in importlib.machinery.EXTENSION_SUFFIXES:
        path = folder / f"{_NAME}{suffix}"
        if path.exists():
            spec = importlib.util.spec_from_file_location(_NAME, path)
            assert spec is not None and spec.loader is not None
            module = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(module)
            return module
    raise ImportError(f"Expected {_NAME} of larq-compute-engine in {folder}.")


def _run(
    native: Any,
    content: bytes,
    samples: Sequence[np.ndarray],
    options: dict[str, bool],
) -> list[np.ndarray]:
    switches = [options.get(name, False) for name in _OPTIONS]
    threads = os.cpu_count() or 1
    interpreter = native.LiteInterpreter(content, threads, *switches)
    # The runtime knows types by identity, and unpickled ones are others.
    arrays = [array.view(np.dtype(array.dtype.str)) for array in samples]
    results = [
        interpreter.predict([np.expand_dims(array, 0) for array in sample])
        for sample in zip(*arrays)
    ]
    return [np.concatenate(outputs) for outputs in zip(*results)]


def _serve() -> None:
    native = _native_module()
    requests, answers = sys.stdin.buffer, sys.stdout.buffer
    while True:
        try:
            content, samples, options = pickle.load(requests)
        except EOFError:
            return
        try:
            answer: Any = _run(native, content, samples, options)
        except RuntimeError as refusal:
            answer = refusal
        pickle.dump(answer, answers, protocol=pickle.HIGHEST_PROTOCOL)
        answers.flush()


if __name__ == "__main__":
    _serve()
