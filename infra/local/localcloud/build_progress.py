"""Progress of a build by Cargo or SAM."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

# Between two lines that show that a long build is running.
_HEARTBEAT_SECONDS = 10.0
_MILESTONE = re.compile(r"Building codeuri: (?P<code>\S+) .*functions: (?P<functions>.*)")
_ACTIVITY = re.compile(r"\s*(?P<verb>Compiling|Downloading|Updating|Checking) (?P<what>\S+)")


class BuildProgress:
    """Reads a build's output line by line, and passes a few short lines on."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._count = 0
        self._last = time.monotonic()
        self._waits = False

    def read(self, line: str) -> None:
        """Read the next line of output."""
        if "Blocking waiting for file lock" in line and not self._waits:
            # Cargo has several locks. It waits for one after the other.
            self._waits = True
            self._say("waiting until another build of this project ends")
        if milestone := _MILESTONE.search(line):
            self._say(f"building {milestone['functions'].strip()}")
        if activity := _ACTIVITY.match(line):
            self._count += activity["verb"] == "Compiling"
            if time.monotonic() - self._last > _HEARTBEAT_SECONDS:
                self._last = time.monotonic()
                self._say(f"{activity['verb'].lower()} {activity['what']} ({self._count} crates so far)")
