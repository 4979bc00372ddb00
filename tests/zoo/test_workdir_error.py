import errno
import os

import pytest
import tensorflow as tf

from zoo.workdir_error import WorkdirError, writing


@pytest.mark.parametrize(
    "error, reason",
    [
        (OSError(errno.ENOSPC, "as a library words it"), os.strerror(errno.ENOSPC)),
        (PermissionError(errno.EACCES, "denied", "file"), os.strerror(errno.EACCES)),
        (OSError("no number"), "no number"),
        (
            tf.errors.ResourceExhaustedError(
                None,
                None,
                "{{function_node __wrapped__SaveV2_device_/job:localhost}} "
                "runs/ckpt-1_temp/part.tempstate672; No space left on device [Op:Save]",
            ),
            "No space left on device",
        ),
        (
            tf.errors.FailedPreconditionError(
                None, None, "{{function_node x}} Not a directory [Op:Create] name: "
            ),
            "Not a directory",
        ),
        (tf.errors.OutOfRangeError(None, None, "a; File too large\nmore"), "File too"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_one_line_that_tells_what_and_why(error, reason):
    with pytest.raises(WorkdirError) as raised:
        with writing("the report"):
            raise error
    line = str(raised.value)
    assert line.startswith(f"Cannot write the report: {reason}")
    assert line.endswith("then run the same command again.")
    assert "\n" not in line and "{{" not in line
    assert raised.value.__cause__ is error


@pytest.mark.parametrize(
    "error",
    [
        ValueError("bug"),
        RuntimeError("bug"),
        KeyboardInterrupt(),
        tf.errors.InternalError(None, None, "another worker is gone"),
        tf.errors.UnavailableError(None, None, "another worker is gone"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_other_errors_pass(error):
    with pytest.raises(type(error)) as raised:
        with writing("the report"):
            raise error
    assert raised.value is error
