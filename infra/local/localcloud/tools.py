"""Pinned tools from PyPI, each set in a virtual environment of its own under `.local/tools`.

Two environments, since MiniStack and AWS SAM pin different versions of botocore. Packages are installed from
lock files with hashes. A stamp written last tells a finished environment from a half-installed or outdated one.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from .environment import without_aws
from .failure import Failure
from .files import tail
from .layout import REQUIREMENTS_FOLDER, TOOLS_FOLDER, short
from .prerequisites import check_python

EMULATOR, SAM, TEST = "emulator", "sam", "test"
SETS = (EMULATOR, SAM, TEST)

# Something each set must have, so that an environment deleted in part is noticed.
_WITNESS = {EMULATOR: "python", SAM: "sam", TEST: "node"}


def bin_folder(name: str) -> Path:
    """The folder with the commands of a tool set."""
    return TOOLS_FOLDER / name / "bin"


def python(name: str) -> Path:
    """The Python of a tool set."""
    return bin_folder(name) / "python"


def stamp(requirements: Path) -> str:
    """What an environment was made from: the lock file's hash and the Python version."""
    digest = hashlib.sha256(requirements.read_bytes()).hexdigest()
    return f"{digest} python {sys.version.split()[0]} {sys.base_prefix}\n"


def is_installed(name: str) -> bool:
    """Whether the set is complete and made from today's lock file."""
    environment = TOOLS_FOLDER / name
    try:
        found = (environment / "stamp").read_text(encoding="utf-8")
    except OSError:
        return False
    return found == stamp(_requirements(name)) and (environment / "bin" / _WITNESS[name]).exists()


def install(name: str, say: Callable[[str], None]) -> None:
    """Install the set unless it is there."""
    if not is_installed(name):
        check_python()
        say(f"installing {name} tools into {short(TOOLS_FOLDER / name)}")
        _create(name)
        say(f"{name} tools are installed")


def install_all(names: tuple[str, ...], say: Callable[[str], None]) -> None:
    """Install several sets side by side; the first failure is told once all have ended."""
    with ThreadPoolExecutor() as pool:
        for done in [pool.submit(install, name, say) for name in names]:
            done.result()


def _requirements(name: str) -> Path:
    return REQUIREMENTS_FOLDER / f"{name}.txt"


def _create(name: str) -> None:
    environment = TOOLS_FOLDER / name
    if environment.exists():
        shutil.rmtree(environment)
    TOOLS_FOLDER.mkdir(parents=True, exist_ok=True)
    log = TOOLS_FOLDER / f"{name}.log"
    log.unlink(missing_ok=True)
    _run([sys.executable, "-m", "venv", str(environment)], log, "create a virtual environment")
    pip = [str(python(name)), "-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--quiet"]
    _run([*pip, "--require-hashes", "--no-deps", "-r", str(_requirements(name))], log, f"install the {name} tools")
    (environment / "stamp").write_text(stamp(_requirements(name)), encoding="utf-8")


def _run(command: list[str], log: Path, purpose: str) -> None:
    with log.open("a", encoding="utf-8") as output:
        done = subprocess.run(command, stdout=output, stderr=subprocess.STDOUT, env=without_aws(), check=False)
    if done.returncode != 0:
        raise Failure(
            f"Could not {purpose}:\n{tail(log)}\n"
            f"  Log:  {short(log)}\n"
            "  Do:   check the network (packages come from PyPI), then run the same command again: it starts afresh."
        )
