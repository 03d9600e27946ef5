"""Numbered progress lines with elapsed seconds."""

from __future__ import annotations

import sys
import time
from typing import TextIO


class Progress:
    """Prints `[2/5]   3.1 s  Installing …`; details are indented below their step."""

    def __init__(self, steps: int, stream: TextIO | None = None) -> None:
        self._steps = steps
        self._done = 0
        self._started = time.monotonic()
        self._stream = stream or sys.stdout

    def step(self, text: str) -> None:
        """Begin the next step."""
        self._done += 1
        self._print(f"[{self._done}/{self._steps}] {self.elapsed():6.1f} s  {text}")

    def detail(self, text: str) -> None:
        """Print a detail of the current step."""
        self._print(f"      {self.elapsed():6.1f} s    {text}")

    def elapsed(self) -> float:
        """Seconds since the first line."""
        return time.monotonic() - self._started

    def _print(self, line: str) -> None:
        print(line, file=self._stream, flush=True)
