"""A script of tests/page in a browser, as the Rust tests run it: Chromium, the pinned Node.js and the locked packages of npm."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
from collections.abc import Mapping

from localcloud import tools
from localcloud.browser import browser
from localcloud.layout import REPOSITORY

_TESTS = REPOSITORY / "tests"
_SECONDS = 900


def run_in_a_browser(script: str, settings: Mapping[str, str]) -> tuple[int, str]:
    """Exit code and all that it printed."""
    tools.install_all((tools.TEST,), print)
    environment = {**os.environ, "PATH": os.pathsep.join((str(tools.bin_folder(tools.TEST)), os.environ["PATH"]))}
    _install_packages(environment)
    with_browser = {"browser": browser(lambda text: print(text, file=sys.stderr)), **settings}
    command = ["node", script, json.dumps(with_browser)]
    done = subprocess.run(command, cwd=_TESTS / "page", env=environment, capture_output=True, text=True, timeout=_SECONDS, check=False)
    return done.returncode, done.stdout + done.stderr


def _install_packages(environment: Mapping[str, str]) -> None:
    """As tests/testkit/node.rs does, under the same lock: suites share the packages."""
    lock, installed = _TESTS / "package-lock.json", _TESTS / "node_modules" / ".package-lock.json"
    with lock.open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        # npm writes it last.
        if not installed.exists() or installed.stat().st_mtime <= lock.stat().st_mtime:
            subprocess.run(["npm", "ci"], cwd=_TESTS, env=dict(environment), check=True, capture_output=True)
