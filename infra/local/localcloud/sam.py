"""Running the pinned AWS SAM: output to a log, a few lines of it as progress."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from .environment import sam_bin
from .layout import Project
from .temporary import temporary_folder

# A line every so many seconds shows that a long build is alive.
_HEARTBEAT_SECONDS = 10.0
_MILESTONE = re.compile(r"Building codeuri: (?P<code>\S+) .*functions: (?P<functions>.*)")
_ACTIVITY = re.compile(r"\s*(?P<verb>Compiling|Downloading|Updating|Checking) (?P<what>\S+)")


def in_foreground(arguments: list[str], project: Project, environment: Mapping[str, str]) -> bool:
    """Run `sam …` with this process's input and output: it tells what it does, and asks. Whether it succeeded."""
    with temporary_folder(project.root) as temporary:
        command = [str(sam_bin() / "sam"), *arguments]
        return subprocess.run(command, cwd=project.root, env={**environment, **temporary}, check=False).returncode == 0


def run(arguments: list[str], project: Project, environment: Mapping[str, str], log: Path, say: Callable[[str], None]) -> bool:
    """Run `sam …` for a project; whether it succeeded."""
    log.parent.mkdir(parents=True, exist_ok=True)
    last, count = time.monotonic(), 0
    with temporary_folder(project.root) as temporary, log.open("w", encoding="utf-8") as written, subprocess.Popen(
        [str(sam_bin() / "sam"), *arguments],
        cwd=project.root,
        env={**environment, **temporary},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as process:
        assert process.stdout is not None, "stdout is a pipe"
        for line in process.stdout:
            written.write(line)
            written.flush()
            if milestone := _MILESTONE.search(line):
                say(f"building {milestone['functions'].strip()}")
            if activity := _ACTIVITY.match(line):
                count += activity["verb"] == "Compiling"
                if time.monotonic() - last > _HEARTBEAT_SECONDS:
                    last = time.monotonic()
                    say(f"{activity['verb'].lower()} {activity['what']} ({count} crates so far)")
    return process.returncode == 0
