"""Files that appear whole or not at all."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

__all__ = ["atomic_path"]


@contextlib.contextmanager
def atomic_path(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Gives a file to write to; moves it to `path` at the end if nothing was raised.

    The temporary file lies beside `path` and keeps its suffixes. Whatever was at `path`
    stays until the new content is complete.

    # Arguments
        path: Where the file is to appear; its folder must exist.

    # Example
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     with atomic_path(f"{folder}/greeting.txt") as partial:
        ...         _ = partial.write_text("hello")
        ...     Path(folder, "greeting.txt").read_text()
        'hello'
    """
    path = Path(path)
    partial = path.with_name(f".partial-{os.getpid()}-{path.name}")
    try:
        yield partial
        with partial.open("r+b") as file:
            os.fsync(file.fileno())  # else a power cut may leave the name alone
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)
