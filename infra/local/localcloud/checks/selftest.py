"""Runs the tests of the local cloud, and of the checks of `infra/aws`."""

from __future__ import annotations

import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from .. import commands, tools
from ..environment import without_aws
from ..failure import Failure
from ..layout import AWS_TESTS_FOLDER, REPOSITORY, TESTS_FOLDER, short
from ..temporary import temporary_folder
from .suites import TOOL_SETS

# unittest's exit code if no test matches. Source: documentation of Python's unittest, "Command-Line Interface".
_NO_TESTS = 5
# Its output then. Before Python 3.12 it exits with 0.
_RAN_NONE = "\nRan 0 tests in "


def run(target: commands.Target, patterns: list[str]) -> int:
    """Run both suites concurrently, each with the Python that has its imports: the emulator, or the AWS SDK."""
    commands.ensure_tools(target.project, TOOL_SETS)
    selected = [word for pattern in patterns for word in ("-k", pattern)]
    with ThreadPoolExecutor() as pool:
        local = pool.submit(_suite, tools.MINISTACK, (TESTS_FOLDER,), selected)
        aws = pool.submit(_suite, tools.SAM, (AWS_TESTS_FOLDER, TESTS_FOLDER), selected)
        codes = [local.result(), aws.result()]
    return next((code for code in codes if code not in (0, _NO_TESTS)), min(codes))


def _suite(tool_set: str, folders: tuple[Path, ...], selected: list[str]) -> int:
    """Run the tests of the first folder, which import from the others; print their output at the end."""
    command = [str(tools.python(tool_set)), "-m", "unittest", "discover", "-s", str(folders[0]), *selected]
    path = os.pathsep.join(str(folder.parent) for folder in folders)
    with temporary_folder(REPOSITORY) as temporary:
        environment = {**without_aws(), **temporary, "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}
        done = subprocess.run(command, cwd=REPOSITORY, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    print(done.stdout, end="", flush=True)
    if not selected and _RAN_NONE in done.stdout:
        raise Failure(f"No tests were found in {short(folders[0])}.")
    return done.returncode
