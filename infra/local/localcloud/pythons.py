"""Pythons of this machine, for tools that need another one than that which runs this."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .failure import Failure

_PROBE = (
    "import ensurepip, json, sys, venv; "
    "print(json.dumps([sys.executable, list(sys.version_info[:3]), sys.base_prefix]))"
)


@dataclass(frozen=True)
class Python:
    """An interpreter that can make virtual environments."""

    path: str
    version: tuple[int, ...]
    base_prefix: str

    @classmethod
    def running(cls) -> Python:
        """The one that runs this."""
        return cls(sys.executable, tuple(sys.version_info[:3]), sys.base_prefix)


def find(minors: tuple[int, ...], purpose: str) -> Python:
    """The first Python 3 of those minor versions; a `Failure` that says what to install where there is none."""
    for path in _candidates(minors):
        found = _probe(path)
        if found and found.version[0] == 3 and found.version[1] in minors:
            return found
    wanted = " or ".join(f"3.{minor}" for minor in minors)
    raise Failure(
        f"{purpose} needs Python {wanted}, and there is none that can make virtual environments.\n"
        f"  Why:  it was tried with these, and newer ones cannot have its dependencies; this is Python {sys.version.split()[0]}.\n"
        f"  Seen: {', '.join(_names(minors))} on the PATH; {_pyenv()}; {_uv()}\n"
        f"  Do:   install one, with `uv python install 3.{minors[0]}`, `pyenv install 3.{minors[0]}` or your system's packages\n"
        f"        (Debian, Ubuntu: python3.{minors[-1]} and python3.{minors[-1]}-venv), then run the same command again."
    )


def _candidates(minors: tuple[int, ...]) -> Iterator[str]:
    yield sys.executable
    for name in _names(minors):
        if path := shutil.which(name):
            yield path
    for folder in (_pyenv(), _uv()):
        for path in sorted(folder.glob("*/bin/python3"), reverse=True):
            yield str(path)


def _names(minors: tuple[int, ...]) -> list[str]:
    return [*(f"python3.{minor}" for minor in minors), "python3"]


def _pyenv() -> Path:
    return Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"


def _uv() -> Path:
    data = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
    return Path(os.environ.get("UV_PYTHON_INSTALL_DIR") or data / "uv" / "python")


def _probe(path: str) -> Python | None:
    """What the interpreter says of itself; None when it does not run, or lacks `venv`. pyenv's shims may not run."""
    try:
        told = subprocess.run([path, "-I", "-c", _PROBE], capture_output=True, text=True, check=True, timeout=30).stdout
        executable, version, base_prefix = json.loads(told)
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
    return Python(executable, tuple(version), base_prefix)
