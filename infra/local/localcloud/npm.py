"""Programs from npm, each locked with hashes in a folder of `requirements`, and run by the Node.js of the tool set `test`."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

from . import tools
from .environment import without_aws
from .failure import Failure
from .files import exclusive
from .layout import REQUIREMENTS_FOLDER, TOOLS_FOLDER, short

_FILES = ("package.json", "package-lock.json", ".npmrc")


def locked(name: str) -> list[Path]:
    """The files that decide what is installed."""
    return [REQUIREMENTS_FOLDER / name / file for file in _FILES]


def install(name: str, say: Callable[[str], None], temporary: Mapping[str, str]) -> Path:
    """Install the locked packages unless they are there, without running their scripts; the folder of packages.

    `temporary` is the variable that says where temporary files go.
    """
    folder = TOOLS_FOLDER / name

    def wait(holder: str) -> None:
        say(f"another command (pid {holder}) is installing {name}: waiting for it")

    with exclusive(TOOLS_FOLDER / f"{name}.lock", wait):
        lock, done = folder / "package-lock.json", folder / "node_modules" / ".package-lock.json"
        wanted = REQUIREMENTS_FOLDER / name / "package-lock.json"
        if not (done.exists() and lock.exists() and lock.read_bytes() == wanted.read_bytes()):
            say(f"installing {name}")
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            for path in locked(name):
                shutil.copy(path, folder)
            installed = run(folder, temporary, ["npm", "ci", "--ignore-scripts"])
            if installed.returncode:
                raise Failure(f"npm ci in {short(folder)} failed:\n{installed.stdout}{installed.stderr}")
    return folder / "node_modules"


def run(folder: Path, variables: Mapping[str, str], command: list[str]) -> subprocess.CompletedProcess[str]:
    """Run a command in a folder, with Node.js on its PATH."""
    base = without_aws()
    environment = {**base, **variables, "PATH": os.pathsep.join([str(tools.bin_folder(tools.TEST)), base.get("PATH", os.defpath)])}
    return subprocess.run(command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
