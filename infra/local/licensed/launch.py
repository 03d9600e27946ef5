"""Runs LocalStack's licensed image in the foreground, and takes its containers down when it is ended.

Started by `python3 infra/local up --emulator localstack`, with what compose.yaml asks for in the environment.
"""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType

_COMPOSE = ["docker", "compose", "--file", str(Path(__file__).resolve().parent.parent / "compose.yaml")]
# What containers get to end by themselves. All together takes less than the 10 s that the local cloud waits before it kills:
# this and one more until `up` has ended, and this again for `down`.
# Source: Docker Docs, "docker compose up" and "docker compose down", --timeout; the default of `up` alone is 10 s.
_STOP_SECONDS = 3


class _Ended(Exception):
    """A signal came."""


def main() -> int:
    """Until a container ends, or a signal comes."""
    timeout = ["--timeout", str(_STOP_SECONDS)]
    running = subprocess.Popen([*_COMPOSE, "up", "--abort-on-container-exit", *timeout])
    _on_signals(_end)
    try:
        return running.wait()
    except _Ended:
        running.terminate()
        return _last_code(running)
    finally:
        _on_signals(signal.SIG_IGN)
        # Whatever became of `up`, which may still be waiting.
        subprocess.run([*_COMPOSE, "down", *timeout], check=False)
        running.kill()


def _end(_number: int, _frame: FrameType | None) -> None:
    _on_signals(signal.SIG_IGN)
    raise _Ended


def _on_signals(action: Callable[[int, FrameType | None], None] | signal.Handlers) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, action)


def _last_code(running: subprocess.Popen[bytes]) -> int:
    """How it ended, if it does in time."""
    try:
        return running.wait(_STOP_SECONDS + 1)
    except subprocess.TimeoutExpired:
        return 1


if __name__ == "__main__":
    sys.exit(main())
