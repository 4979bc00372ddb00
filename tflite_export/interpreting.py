"""Runs a .tflite with Larq Compute Engine's own interpreter on this machine."""

from collections.abc import Sequence
from typing import Any

import numpy as np

__all__ = ["KERNELS", "make_interpreter", "run_samples"]

KERNELS: dict[str, dict[str, bool]] = {
    "default": {},
    "indirect": {"use_indirect_bgemm": True},
}
"""The kernels that LCE offers for binary convolutions on a device, by name. "default"
is the fast one on ARM; on x86 it runs at reference speed and "indirect" is faster.
"""


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
    """Runs a model on samples, one after the other.

    # Arguments
        content: The bytes of a .tflite with a batch of one.
        samples: One array [N, ...] for each input, in the order of the model.
        options: As for `make_interpreter`.

    # Returns
        One array [N, ...] for each output.
    """
    interpreter = make_interpreter(content, **options).interpreter
    results = [
        interpreter.predict([np.expand_dims(array, 0) for array in sample])
        for sample in zip(*samples)
    ]
    return [np.concatenate(arrays) for arrays in zip(*results)]
