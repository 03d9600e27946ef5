"""Runs LocalStack's licensed image in the foreground, and takes its containers down when it is ended.

Started by `python3 infra/local up --emulator localstack`, with what compose.yaml asks for in the environment.
"""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from types import FrameType

_COMPOSE = ["docker", "compose", "--file", str(Path(__file__).resolve().parent.parent / "compose.yaml")]
# Less than the local cloud waits before it kills.
_STOP_SECONDS = 5


def main() -> int:
    """Until a container ends, or a signal comes."""
    running = subprocess.Popen([*_COMPOSE, "up", "--abort-on-container-exit"])

    def end(_number: int, _frame: FrameType | None) -> None:
        running.terminate()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    try:
        return running.wait()
    finally:
        subprocess.run([*_COMPOSE, "down", "--timeout", str(_STOP_SECONDS)], check=False)


if __name__ == "__main__":
    sys.exit(main())
