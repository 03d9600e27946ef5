"""Signals that end a command, as the exception of Ctrl-C."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Callable, Iterator

_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextlib.contextmanager
def signals_as_interrupts() -> Iterator[None]:
    """SIGTERM and SIGHUP unwind the stack as Ctrl-C does, also where that is ignored, so that `finally` runs."""

    def interrupt(number: int, _frame: object) -> None:
        raise KeyboardInterrupt(number)

    with _handled_by(interrupt):
        yield


@contextlib.contextmanager
def signals_put_off(say: str) -> Iterator[None]:
    """For what must be finished once it was begun: a signal is answered with a line, if anybody reads it."""

    def answer(_number: int, _frame: object) -> None:
        # Past Python's buffer, which takes no line while another one is being written.
        with contextlib.suppress(OSError, ValueError):
            os.write(sys.stdout.fileno(), f"{say}\n".encode(sys.stdout.encoding, "replace"))

    with _handled_by(answer):
        yield


@contextlib.contextmanager
def _handled_by(handle: Callable[[int, object], None]) -> Iterator[None]:
    before = {number: signal.signal(number, handle) for number in _ENDING}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
