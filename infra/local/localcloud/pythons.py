"""Finds Pythons on this machine, for tools that need another version than the running one."""

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
    """An interpreter that can create virtual environments."""

    path: str
    version: tuple[int, ...]
    base_prefix: str

    @classmethod
    def running(cls) -> Python:
        """The running interpreter."""
        return cls(sys.executable, tuple(sys.version_info[:3]), sys.base_prefix)


def find(version: str, purpose: str, reason: str) -> Python:
    """The first Python of that version, such as `3.13`. Fails with what to install if there is none."""
    for path in _candidates(version):
        found = _probe(path)
        if found and ".".join(map(str, found.version[:2])) == version:
            return found
    raise Failure(
        f"{purpose} needs Python {version}, but no such Python here can create virtual environments.\n"
        f"  Why:  {reason}; this is Python {sys.version.split()[0]}.\n"
        f"  Seen: {' and '.join(_names(version))} on the PATH; {_pyenv()}; {_uv()}\n"
        f"  Do:   install it, with `uv python install {version}`, `pyenv install {version}` or your system's packages (Debian,\n"
        f"        Ubuntu: python{version} and python{version}-venv), then run the same command again."
    )


def _candidates(version: str) -> Iterator[str]:
    yield sys.executable
    for name in _names(version):
        if path := shutil.which(name):
            yield path
    for folder in (_pyenv(), _uv()):
        for path in sorted(folder.glob("*/bin/python3"), reverse=True):
            yield str(path)


def _names(version: str) -> list[str]:
    return [f"python{version}", "python3"]


def _pyenv() -> Path:
    return Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"


def _uv() -> Path:
    data = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
    return Path(os.environ.get("UV_PYTHON_INSTALL_DIR") or data / "uv" / "python")


def _probe(path: str) -> Python | None:
    """The interpreter's version and paths; None if it does not run, as some shims of pyenv, or lacks `venv`."""
    try:
        output = subprocess.run([path, "-I", "-c", _PROBE], capture_output=True, text=True, check=True, timeout=30).stdout
        executable, version, base_prefix = json.loads(output)
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
    return Python(executable, tuple(version), base_prefix)
