"""What the command lines share: expected errors end in one line, not a traceback."""

import json
import sys
from collections.abc import Callable, Sequence
from typing import Any

import rich.console
from absl import app, flags, logging

__all__ = ["run_command", "settings", "table_console"]

_INTERRUPTED = 130  # what shells report for Ctrl-C


def settings(texts: Sequence[str]) -> dict[str, Any]:
    """Reads settings that were given as `name=value`.

    # Arguments
        texts: Such as "block=normal", "release=2019" or "t_min=0.001". Values are
            read as JSON, and as text if they are none; "name=" is empty text.

    # Raises
        ValueError: for one without a name or "=".

    # Example
        >>> settings(["block=normal", "release=2019"])
        {'block': 'normal', 'release': 2019}
    """
    read = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not name or not equals:
            raise ValueError(f"Expected a setting like 'name=value', got {text!r}.")
        try:
            read[name] = json.loads(value)
        except json.JSONDecodeError:
            read[name] = value
    return read


def table_console(width: int) -> rich.console.Console:
    """A console for tables, not for anything that is redrawn in place.

    # Arguments
        width: In characters, at least, also where the terminal is narrower or the
            output is piped.
    """
    console = rich.console.Console(highlight=False)
    console.width = max(console.width, width)
    return console


def run_command(
    main: Callable[[], None], *, errors: Sequence[type[Exception]] = ()
) -> None:
    """Parses the flags, runs `main`, and leaves with a non-zero code if it fails.

    # Arguments
        main: The command; it reads its flags itself.
        errors: Exceptions to report in one line besides those for bad values, files
            and missing packages. Anything else is a bug and keeps its traceback.
    """
    expected: tuple[type[Exception], ...] = (ValueError, OSError, ImportError, *errors)

    def guarded(arguments: list[str]) -> None:
        if not flags.FLAGS["verbosity"].present:
            logging.set_verbosity(logging.WARNING)  # TensorFlow reports every file
        try:
            if len(arguments) > 1:
                raise ValueError(f"Expected flags only, got {arguments[1]!r}.")
            main()
        except expected as error:
            print(f"error: {error}", file=sys.stderr)
            sys.exit(1)
        except KeyboardInterrupt:
            print("interrupted", file=sys.stderr)
            sys.exit(_INTERRUPTED)

    app.run(guarded)
