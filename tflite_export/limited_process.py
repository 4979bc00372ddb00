"""Runs a command in a process of its own, within limits of time and memory.

Native code can crash, hang or ask for all the memory there is. Here that becomes one
`ProcessError` that says which of them it was, and nothing is left running.
"""

import contextlib
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from typing import IO

__all__ = [
    "ProcessError",
    "check_limits",
    "default_memory_limit",
    "ending_of",
    "run_limited",
]

_SMALLEST_DEFAULT = 16 * 2**30  # bytes
_WORDS_BYTES = 2**16  # of what a process said, the last ones
_LAST_LINES = 8
_NOISE = re.compile(
    r"([IWE]\d{4}|\d{4}-\d\d-\d\d|WARNING|To enable the following instructions"
    r"|Traceback|File \"|[\^~]+$|raise )"
)
_NO_MEMORY = re.compile(
    r"MemoryError|bad_alloc|OOM when allocating|failed to map segment"
    r"|(cannot|failed to|unable to) allocate|out of memory|Resource exhausted",
    re.IGNORECASE,
)


class ProcessError(RuntimeError):
    """A process that failed, crashed, or passed a limit.

    # Attributes
        remedy: What to do about it; empty if that depends on what was run.
    """

    def __init__(self, reason: str, remedy: str = ""):
        self.remedy = remedy
        super().__init__(reason)


def default_memory_limit() -> int | None:
    """The memory of this machine in bytes, at least 16 GiB; `None` but on Linux.

    The limit is one on address space, of which TensorFlow reserves much more than it
    uses: nearly 3 GiB for a model of 10 kB, which takes up 0.7 GiB.
    """
    if sys.platform != "linux":
        return None
    physical = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return max(_SMALLEST_DEFAULT, physical)


def check_limits(timeout: float, memory_limit: int | None) -> None:
    """Makes sure that limits can be set.

    # Raises
        ValueError: for limits that are not positive, and one of memory where the
            system has none.
    """
    if not timeout > 0:
        raise ValueError(f"Expected a `timeout` of more than 0 s, got {timeout}.")
    if memory_limit is None:
        return
    if memory_limit <= 0:
        raise ValueError(
            f"Expected a `memory_limit` of more than 0 bytes, got {memory_limit}."
        )
    if sys.platform != "linux":
        raise ValueError(
            "Expected no `memory_limit`: only Linux limits the memory of a process, "
            f"and this is {sys.platform}. Leave it out."
        )


def run_limited(
    command: Sequence[str], *, timeout: float, memory_limit: int | None = None
) -> str:
    """Runs a command to its end, or stops it and whatever it has started.

    # Arguments
        command: The program and its arguments. A Python that is run finds the modules
            that this process finds.
        timeout: Seconds that it may take.
        memory_limit: Bytes of address space that it may have; `None` for
            `default_memory_limit()`.

    # Returns
        The end of what it wrote to standard error.

    # Raises
        ProcessError: if it fails, crashes, or passes a limit.
        ValueError: for limits that cannot be set.
    """
    check_limits(timeout, memory_limit)
    limit = default_memory_limit() if memory_limit is None else memory_limit
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=errors,
            env=environment,
            start_new_session=True,
        )
        try:
            if sys.platform == "linux" and limit is not None:
                _limit_memory(process.pid, limit)
            return_code = process.wait(timeout)
        except subprocess.TimeoutExpired as error:
            raise ProcessError(
                f"did not end within {timeout:g} s, and was stopped.",
                "give it more time (`timeout`)",
            ) from error
        finally:
            _stop(process)
        words = _end_of(errors)
    if return_code != 0:
        raise _failure(return_code, words, limit, is_chosen=memory_limit is not None)
    return words


def _limit_memory(pid: int, limit: int) -> None:
    if sys.platform == "linux":
        import resource

        with contextlib.suppress(ProcessLookupError):  # it has ended already
            _, hard = resource.prlimit(pid, resource.RLIMIT_AS)
            if hard != resource.RLIM_INFINITY:
                limit = min(limit, hard)
            resource.prlimit(pid, resource.RLIMIT_AS, (limit, limit))


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Kills a process that still runs, with those that it has started."""
    if process.poll() is not None:
        return
    if hasattr(os, "killpg"):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
    process.wait()


def _end_of(file: IO[bytes]) -> str:
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - _WORDS_BYTES))
    return file.read().decode(errors="replace")


def _failure(
    return_code: int, words: str, limit: int | None, *, is_chosen: bool
) -> ProcessError:
    said = _last_words(words)
    ending = ending_of(return_code)
    if ending == "crashed (SIGKILL)":
        return ProcessError(
            f"was killed (SIGKILL), as systems do when memory runs out: {said}",
            "use a machine with more memory, or end other programs",
        )
    if _NO_MEMORY.search(words):
        allowed = "" if limit is None else f" of {limit / 2**30:.3g} GiB"
        return ProcessError(
            f"ran out of its memory{allowed}: {said}", "give it more (`memory_limit`)"
        )
    may_be_memory = is_chosen and return_code < 0
    remedy = "give it more memory (`memory_limit`), if it is tight" * may_be_memory
    return ProcessError(f"{ending}: {said}", remedy)


def ending_of(return_code: int) -> str:
    """How a process ended that did not end well, in words."""
    if return_code >= 0:
        return f"failed (exit code {return_code})"
    return f"crashed ({_signal_name(-return_code)})"


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _last_words(stderr: str) -> str:
    lines = [line.strip() for line in stderr.splitlines()]
    telling = [line for line in lines if line and not _NOISE.match(line)]
    return " | ".join(telling[-_LAST_LINES:]) or "it said nothing."
