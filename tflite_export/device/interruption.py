"""Ends that a device must not notice: Ctrl-C, a kill, a closed terminal."""

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType

__all__ = ["interruptible", "shielded"]

_ENDS = tuple(
    getattr(signal, name)
    for name in ("SIGINT", "SIGTERM", "SIGHUP")
    if hasattr(signal, name)
)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


@contextlib.contextmanager
def _handled(
    handler: Callable[[int, FrameType | None], None] | signal.Handlers,
) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread is ever interrupted
        return
    # what is ignored, as under nohup, stays so
    heeded = [one for one in _ENDS if signal.getsignal(one) != signal.SIG_IGN]
    before = {one: signal.signal(one, handler) for one in heeded}
    try:
        yield
    finally:
        for one, old in before.items():
            signal.signal(one, old)


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """Turns a kill and a closed terminal into `KeyboardInterrupt`, as Ctrl-C is."""
    with _handled(_interrupt):
        yield


@contextlib.contextmanager
def shielded() -> Iterator[None]:
    """Lets a short piece of work end in spite of them."""
    with _handled(signal.SIG_IGN):
        yield
