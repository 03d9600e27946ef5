"""Waits for a condition that becomes true at an unknown time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

Value = TypeVar("Value")


def eventually(ask: Callable[[], Value], enough: Callable[[Value], bool], seconds: float = 20.0) -> Value:
    """The first accepted answer; asks every 20 ms until the deadline."""
    deadline = time.monotonic() + seconds
    while not enough(answer := ask()):
        if time.monotonic() > deadline:
            raise AssertionError(f"Not within {seconds} s; last: {answer!r}")
        time.sleep(0.02)
    return answer
