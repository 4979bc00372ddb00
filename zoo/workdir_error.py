"""What is wrong with the folder of a run, in one line."""

import contextlib
import os
import re
from collections.abc import Iterator
from pathlib import Path

import tensorflow as tf

__all__ = ["WorkdirError", "writing"]

# what TensorFlow's file system makes of the error numbers of the operating system
_CANNOT_WRITE = (
    OSError,
    tf.errors.AlreadyExistsError,
    tf.errors.FailedPreconditionError,  # a file in place of a folder
    tf.errors.NotFoundError,
    tf.errors.OutOfRangeError,  # larger than a file may be
    tf.errors.PermissionDeniedError,
    tf.errors.ResourceExhaustedError,  # the disk is full
    tf.errors.UnknownError,  # the disk is broken
)


class WorkdirError(ValueError):
    """A folder that does not hold what a finished or resumable run leaves there."""


@contextlib.contextmanager
def writing(what: str | Path) -> Iterator[None]:
    """Reports in one line what could not be written.

    # Arguments
        what: The file, or a description of it.

    # Raises
        WorkdirError: in place of the error of the file system.

    # Example
        >>> with writing("the report"):
        ...     raise OSError(28, "No space left on device")
        Traceback (most recent call last):
        ...
        zoo.workdir_error.WorkdirError: Cannot write the report: No space left on ...
    """
    try:
        yield
    except _CANNOT_WRITE as error:
        raise WorkdirError(
            f"Cannot write {what}: {_reason(error)}. Make room, or mend what is in the "
            "way, then run the same command again."
        ) from error


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.errno:
        return os.strerror(error.errno)
    line = str(error).partition("\n")[0]
    line = re.sub(r"^\{\{.*?\}\} ", "", line)  # the operation of the graph
    line = re.sub(r" \[Op:.*", "", line)
    return line.rpartition("; ")[2].rstrip(". ")
