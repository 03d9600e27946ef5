"""Finds Chromium for the tests of pages, or installs Debian's package.

It is not one of the pinned tools: no package registry that this repository uses has a browser with its libraries.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable

from .environment import without_aws
from .failure import Failure

# Names in packages of Debian, Ubuntu, Fedora and Google.
_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

# Without fonts, a page shows no text.
_PACKAGES = ("chromium", "fonts-dejavu-core")

# A slower program is not Chromium.
_ANSWER_SECONDS = 30


def browser(say: Callable[[str], None]) -> str:
    """The path of a Chromium that runs. Root on Debian installs it with apt-get if there is none."""
    found = _find()
    if found is None and _may_install():
        _install(say)
        found = _find()
    if found is None:
        raise Failure(
            f"Chromium was not found on the PATH ({', '.join(_NAMES)}).\n"
            "  Why:  the tests open the page and reports in a browser.\n"
            "  Do:   install it (Debian: sudo apt-get install chromium; elsewhere: Chromium or Google Chrome), then run the same\n"
            "        command again. As root on Debian, it is installed automatically."
        )
    return found


def _find() -> str | None:
    """The first that answers: Ubuntu's `chromium-browser` exists even if the program that it starts does not."""
    return next((path for name in _NAMES if (path := shutil.which(name)) and _runs(path)), None)


def _runs(path: str) -> bool:
    try:
        done = subprocess.run([path, "--version"], capture_output=True, timeout=_ANSWER_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def _may_install() -> bool:
    return os.geteuid() == 0 and shutil.which("apt-get") is not None


def _install(say: Callable[[str], None]) -> None:
    say("installing Debian's chromium by apt-get")
    environment = {**without_aws(), "DEBIAN_FRONTEND": "noninteractive"}
    install = ["apt-get", "install", "--yes", "--no-install-recommends", *_PACKAGES]
    for command in (["apt-get", "update"], install):
        done = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            output = "\n".join((done.stdout + done.stderr).splitlines()[-20:])
            raise Failure(
                f"Could not install Chromium: `{' '.join(command)}` failed:\n{output}\n"
                "  Do:   check the network and /etc/apt/sources.list, or install Chromium yourself, then run the same command again."
            )
    say("chromium is installed")
