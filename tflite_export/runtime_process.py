"""A process of its own for the runtime, which is native code and may crash."""

import atexit
import contextlib
import os
import pickle
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np

from tflite_export.limited_process import ending_of

__all__ = ["RuntimeProcess"]

_ENDING_SECONDS = 5.0
_ERROR = "ERROR: "
_WORKER = Path(__file__).parent / "interpreter_worker" / "samples.py"


class RuntimeProcess:
    """Runs models, one after the other, in a process that it starts when needed.

    # Arguments
        timeout: Seconds that the samples of one model may take.
    """

    def __init__(self, timeout: float = 600.0):
        self._timeout = timeout
        self._process: subprocess.Popen[bytes] | None = None
        self._errors: IO[bytes] | None = None
        self._owner = 0  # a fork of it starts a process of its own
        self._lock = threading.Lock()
        atexit.register(self.close)

    def run(
        self, content: bytes, samples: Sequence[np.ndarray], options: Mapping[str, bool]
    ) -> list[np.ndarray]:
        """Runs a model on samples, one after the other.

        # Arguments
            content: The bytes of a .tflite with a batch of one.
            samples: One array [N, ...] for each input.
            options: As for `tflite_export.interpreting.make_interpreter`.

        # Raises
            RuntimeError: if the runtime refuses the model, crashes or takes too long.
        """
        request = content, list(samples), dict(options)
        with self._lock:
            answer = self._answer(request)
            said = self._said()
        if isinstance(answer, RuntimeError):
            raise RuntimeError(f"{answer} {said}".strip()) from answer
        return answer

    def close(self) -> None:
        """Ends the process; a later run starts another one."""
        process, self._process = self._process, None
        if process is None:
            return
        for stream in (process.stdin, process.stdout, self._errors):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()
        process.kill()
        process.wait()

    def _answer(self, request: Any) -> Any:
        is_own = self._owner == os.getpid()
        process = self._process if self._process and is_own else self._start()
        assert process.stdin is not None and process.stdout is not None
        too_late = threading.Timer(self._timeout, process.kill)
        too_late.start()
        try:
            pickle.dump(request, process.stdin, protocol=pickle.HIGHEST_PROTOCOL)
            process.stdin.flush()
            return pickle.load(process.stdout)
        except (EOFError, OSError, pickle.UnpicklingError) as error:
            has_hung = too_late.finished.is_set()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_ENDING_SECONDS)
            self.close()
            return_code = process.wait()
            if has_hung:
                raise RuntimeError(
                    f"the runtime did not end within {self._timeout:g} s."
                ) from error
            raise RuntimeError(f"the runtime {ending_of(return_code)}.") from error
        except BaseException:  # interrupted: half an answer is left in the pipe
            self.close()
            raise
        finally:
            too_late.cancel()

    def _start(self) -> subprocess.Popen[bytes]:
        self._owner = os.getpid()
        self._errors = tempfile.TemporaryFile("a+b")  # the process appends to it
        self._process = subprocess.Popen(
            [sys.executable, str(_WORKER)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
        )
        return self._process

    def _said(self) -> str:
        """The errors that the runtime has printed since the last time."""
        assert self._errors is not None
        self._errors.seek(0)
        words = self._errors.read()
        self._errors.truncate(0)
        lines = words.decode(errors="replace").splitlines()
        errors = [line for line in lines if line.startswith(_ERROR)]
        return " ".join(line.removeprefix(_ERROR).strip() for line in errors)
