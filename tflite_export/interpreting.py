"""Runs a .tflite with Larq Compute Engine's own interpreter on this machine.

The interpreter is native code that trusts the file, and may crash. So samples run in a
process of its own; what comes from elsewhere should have passed `explain_run` before it
is measured in this one.
"""

import platform
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tflite_export.flatbuffer import Flatbuffer
from tflite_export.limited_process import ProcessError, run_limited
from tflite_export.runtime_process import RuntimeProcess

__all__ = [
    "FAST_KERNEL",
    "KERNELS",
    "explain_run",
    "make_interpreter",
    "random_inputs",
    "run_samples",
]

KERNELS: dict[str, dict[str, bool]] = {
    "default": {},
    "indirect": {"use_indirect_bgemm": True},
}
"""The kernels that LCE offers for binary convolutions on a device, by name. "default"
is the fast one on ARM; on x86 it runs at reference speed and "indirect" is faster.
"""

FAST_KERNEL = (
    "default" if platform.machine().lower() in ("aarch64", "arm64") else "indirect"
)
"""The faster one of them on this machine."""

_RUNTIME = RuntimeProcess()
_WORKER = "tflite_export.interpreter_worker"


def make_interpreter(content: bytes, *, threads: int = 1, **options: bool) -> Any:
    """An interpreter for a model, with LCE's operators.

    # Arguments
        content: The bytes of a .tflite.
        threads: Threads that it may use.
        options: `use_indirect_bgemm`, `use_reference_bconv`, `use_xnnpack`.

    # Raises
        RuntimeError: if the runtime rejects the model.
        ImportError: if larq-compute-engine is not installed.
    """
    try:
        from larq_compute_engine.tflite.python.interpreter import Interpreter
    except ImportError as error:
        raise ImportError(
            "Expected larq-compute-engine, found none. Run "
            "`pip install 'larq-irnet[export]'`."
        ) from error
    return Interpreter(content, num_threads=threads, **options)


def run_samples(
    content: bytes, samples: Sequence[np.ndarray], **options: bool
) -> list[np.ndarray]:
    """Runs a model on samples, one after the other, in a process of its own.

    # Arguments
        content: The bytes of a .tflite with a batch of one.
        samples: One array [N, ...] for each input, in the order of the model.
        options: As for `make_interpreter`.

    # Returns
        One array [N, ...] for each output.

    # Raises
        RuntimeError: if the runtime refuses the model or crashes.
    """
    return _RUNTIME.run(content, samples, options)


def random_inputs(content: bytes) -> list[np.ndarray]:
    """One array for each input of a model, always the same ones."""
    generator = np.random.default_rng(0)
    return [
        generator.standard_normal(tensor.shape).astype(tensor.dtype)
        for tensor in Flatbuffer(content).inputs
    ]


def explain_run(
    content: bytes, *, timeout: float = 60.0, memory_limit: int | None = None
) -> str | None:
    """Why a model does not run on this machine; `None` if it does.

    Runs it once with each kernel, in a process of its own, which a damaged file may
    crash or hang.

    # Arguments
        content: The bytes of a .tflite, from anywhere.
        timeout: Seconds after which the process is stopped.
        memory_limit: Bytes of address space that it may have, on Linux; `None` for
            the memory of this machine, at least 16 GiB.

    # Raises
        FlatbufferError: for bytes that are no .tflite.
    """
    Flatbuffer(content)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "model.tflite")
        path.write_bytes(content)
        command = [sys.executable, "-m", _WORKER, str(path)]
        try:
            run_limited(command, timeout=timeout, memory_limit=memory_limit)
        except ProcessError as error:
            return f"the runtime {error}"
    return None
