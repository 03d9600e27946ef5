"""Handles signals that end a command like Ctrl-C."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Callable, Iterator

_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextlib.contextmanager
def signals_as_interrupts() -> Iterator[None]:
    """SIGINT, SIGTERM and SIGHUP, even if they are ignored, raise KeyboardInterrupt, so that `finally` runs."""

    def interrupt(number: int, _frame: object) -> None:
        raise KeyboardInterrupt(number)

    with _handled_by(interrupt):
        yield


@contextlib.contextmanager
def signals_put_off(say: str) -> Iterator[None]:
    """For work that must be finished: a signal only prints a line."""

    def answer(_number: int, _frame: object) -> None:
        # Bypass Python's buffer: it is locked while another line is being written.
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
