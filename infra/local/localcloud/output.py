"""Standard output that somebody may stop reading, as `head` does."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable


def until_nobody_reads(main: Callable[[list[str]], int], arguments: list[str]) -> int:
    """Run it; when its reader is gone, end without a word and with the exit code of other programs then."""
    try:
        try:
            return main(arguments)
        finally:
            # None where the shell closed it.
            if sys.stdout is not None:
                sys.stdout.flush()
    except BrokenPipeError:
        discard_output()
        return 128 + signal.SIGPIPE


def discard_output() -> None:
    """Let standard output, which failed, take everything: Python writes what is left once more when it ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
