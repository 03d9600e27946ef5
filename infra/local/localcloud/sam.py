"""Runs the pinned AWS SAM and other build commands: writes their output to a log, and prints a few lines of progress."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TextIO

from .build_progress import BuildProgress
from .environment import sam_bin
from .layout import Project
from .temporary import temporary_folder


def command(arguments: list[str]) -> list[str]:
    """The command line of the pinned `sam`."""
    return [str(sam_bin() / "sam"), *arguments]


def in_foreground(arguments: list[str], project: Project, environment: Mapping[str, str]) -> bool:
    """Run `sam …` with this process's input and output, so that it can ask questions; returns whether it succeeded."""
    with temporary_folder(project.root) as temporary:
        return subprocess.run(command(arguments), cwd=project.root, env={**environment, **temporary}, check=False).returncode == 0


def run(commands: list[list[str]], project: Project, environment: Mapping[str, str], log: Path, say: Callable[[str], None]) -> bool:
    """Run commands in a project, one after the other, up to the first failure, with one new log; returns whether all succeeded."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with temporary_folder(project.root) as temporary, log.open("w", encoding="utf-8") as written:
        return all(_run(each, project.root, {**environment, **temporary}, written, say) for each in commands)


def _run(words: list[str], folder: Path, environment: Mapping[str, str], log: TextIO, say: Callable[[str], None]) -> bool:
    progress = BuildProgress(say)
    with subprocess.Popen(
        words, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True, errors="replace",
    ) as process:  # fmt: skip
        assert process.stdout is not None, "stdout is a pipe"
        for line in process.stdout:
            log.write(line)
            log.flush()
            progress.read(line)
    return process.returncode == 0
