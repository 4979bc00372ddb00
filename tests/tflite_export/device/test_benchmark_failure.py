"""What the words of a benchmark that fails mean."""

import pytest

from tflite_export.device.benchmark_failure import explain_failure


@pytest.mark.parametrize(
    "code, words, meaning",
    [
        (137, "Killed", "memory runs out"),
        (132, "Illegal instruction", "does not know an instruction"),
        (
            1,
            "./tool: /lib/libc.so.6: version `GLIBC_2.34' not found (required by",
            "has no GLIBC_2.34",
        ),
        (1, "CANNOT LINK EXECUTABLE: cannot locate symbol", "its loader refuses"),
        (
            126,
            "sh: ./x: cannot execute binary file: Exec format error",
            "another ma",
        ),
        (126, "sh: ./lce_benchmark_model_aarch64: Permission denied", "may not be"),
        (
            127,
            "sh: ./lce_benchmark_model_aarch64: not found",
            "lacks the loader",
        ),
        (1, "write: No space left on device", "its storage is full"),
        (1, "ERROR: Failed to mmap model x.tflite", "Export it again"),
        (
            134,
            "The size of x is 12 bytes. It should be 16 bytes.",
            "12 bytes. It should be 16 bytes. Give a model whose inputs have a fixed",
        ),
    ],
)
def test_words_become_one_sentence(code, words, meaning):
    error = explain_failure(code, words, system="linux", what="the check")
    assert str(error).startswith("Expected the check to run on the device, but ")
    assert meaning in str(error)
    assert "\n" not in str(error)
