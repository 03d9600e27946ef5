"""Chromium, for the tests that look at pages: the machine's own, or Debian's package where it may be installed.

Not among the pinned tools: no package registry that this repository uses has a browser with the libraries it needs.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable

from .environment import without_aws
from .failure import Failure

# As Debian, Ubuntu, Fedora and Google's own packages call it.
_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

# A page without fonts has no text to look at.
_PACKAGES = ("chromium", "fonts-dejavu-core")

# What does not answer by then is not Chromium.
_ANSWER_SECONDS = 30


def browser(say: Callable[[str], None]) -> str:
    """The path of a Chromium that runs; installed by apt-get where there is none and root asks."""
    found = _find()
    if found is None and _may_install():
        _install(say)
        found = _find()
    if found is None:
        raise Failure(
            f"There is no Chromium on the PATH ({', '.join(_NAMES)}).\n"
            "  Why:  the tests open the page and reports in a browser.\n"
            "  Do:   install it (Debian: sudo apt-get install chromium; elsewhere: Chromium or Google Chrome), then run the same\n"
            "        command again. As root on Debian it is installed by itself."
        )
    return found


def _find() -> str | None:
    """The first that answers: Ubuntu's `chromium-browser` is there even where what it starts is not."""
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
            told = "\n".join((done.stdout + done.stderr).splitlines()[-20:])
            raise Failure(
                f"Could not install Chromium: `{' '.join(command)}` failed:\n{told}\n"
                "  Do:   check the network and /etc/apt/sources.list, or install Chromium yourself, then run the same command again."
            )
    say("chromium is installed")
