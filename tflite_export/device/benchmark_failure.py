"""What it means when the benchmark tool fails on a device."""

import re

from tflite_export.device.benchmark_binary import where_to_get
from tflite_export.device.device_error import RunError
from tflite_export.device.runs import NO_OUTPUT

__all__ = ["explain_failure"]

_KILLED, _ILLEGAL = 137, 132  # 128 and the number of the signal
_FULL = r"no space left|enospc"
_LOADER = r"not found|no such file"


def explain_failure(code: int, text: str, *, system: str, what: str) -> RunError:
    """The error to raise for a run that failed.

    # Arguments
        code: The exit code of the tool.
        text: What it printed.
        system: "android" or "linux".
        what: What was run, such as "binary, 2 threads".
    """
    for pattern, sentence in _reasons(system):
        found = re.search(pattern, text, re.IGNORECASE)
        if found:
            got = sentence.format(*found.groups())
            return RunError(f"Expected {what} to run on the device, but {got}")
    if code == _KILLED:
        got = "it was killed, as systems do when memory runs out. Close other programs."
    elif code == _ILLEGAL:
        got = (
            "the processor does not know an instruction of it. Use a device with a "
            "newer 64-bit ARM core."
        )
    else:
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        telling = [line for line in lines if not line.startswith("INFO:")]
        said = " | ".join((telling or lines)[-3:]).rstrip(".") or "no word"
        got = f"it ended with exit code {code}: {said}."
    return RunError(f"Expected {what} to run on the device, but {got}")


def _reasons(system: str) -> list[tuple[str, str]]:
    where = where_to_get(system)
    return [
        (
            r"unresolved custom op: (\w+)",
            "the benchmark tool does not know {0}: it is TensorFlow Lite's own, not "
            f"that of Larq Compute Engine. {where}",
        ),
        (
            r"version `(GLIBC_[\d.]+)' not found",
            "its system has no {0}. Upgrade it (Debian 12, Ubuntu 22.04 or newer).",
        ),
        (
            r"(cannot link executable[^\n]*|cannot locate symbol[^\n]*)",
            f"its loader refuses the benchmark tool: {{0}}. {where}",
        ),
        (
            r"exec format error|not executable: \S+ elf|unexpected e_(?:machine|type)",
            f"the benchmark tool is for another machine. {where}",
        ),
        (_FULL, "its storage is full. Make room on it."),
        (
            r"lce_benchmark\S*: (?:permission denied|can't execute)",
            "programs may not be run in that folder. Name another one with "
            "--remote_folder.",
        ),
        (
            rf"lce_benchmark[^\n]*: (?:inaccessible or )?(?:{_LOADER})",
            "the benchmark tool does not start: its system lacks the loader for "
            f"programs of 64-bit ARM. Install a 64-bit system. {where}",
        ),
        (
            NO_OUTPUT,
            "the benchmark tool wrote no outputs, as those built before TensorFlow "
            f"2.11. {where}",
        ),
        (
            r"failed to mmap model|not a valid (?:tflite|flatbuffer)",
            "the model could not be read there. Export it again.",
        ),
        (
            r"(The size of \S+ is \d+ bytes\. It should be \d+ bytes)",
            "an input does not fit: {0}. Give a model whose inputs have a fixed size.",
        ),
    ]
