"""Runs the end-to-end tests on LocalStack's open-source core, and the tests of its executor."""

from __future__ import annotations

import subprocess
from pathlib import Path

from .. import commands, tools
from ..emulators import LOCALSTACK
from ..environment import build_target, without_aws
from ..failure import Failure
from ..lanes import Lane, Step
from ..layout import LOCAL_FOLDER, LOCALSTACK_FOLDER
from ..skipped_tests import names_of, read_skipped, refuse_stale
from ..temporary import temporary_folder
from . import suites

_FOLDER = ".local/localstack"
# Tests that cannot pass there, by reason.
SKIPPED = LOCALSTACK_FOLDER / "skipped_tests.json"

# The same packages as for `make test`, to reuse what it compiled.
_SELECTION = ("--locked", "--workspace", "--all-features", "--test", "e2e")
_END_TO_END = ("cargo", "test", *_SELECTION)


def run(target: commands.Target) -> int:
    """Install, build and test; then print the versions and the skipped tests, even if tests failed."""
    commands.ensure_tools(target.project, (LOCALSTACK.tool_set, tools.SAM))
    root, skipped = target.project.root, read_skipped(SKIPPED)
    with temporary_folder(root) as temporary:
        code = suites.in_lanes(target, _lanes(skipped, temporary))
    known = [] if code else _names(root)
    print("\n".join(["", *report(LOCALSTACK.parts(), skipped, known)]))
    if known:
        refuse_stale(skipped, known, SKIPPED)
    return code


def report(parts: dict[str, str], skipped: dict[str, list[str]], known: list[str]) -> list[str]:
    """Lines for people: the versions, and the skipped tests with their reasons."""
    width = max(map(len, parts))
    count = sum(map(len, skipped.values()))
    of_all = f" of {len(known)}" if known else ""
    return [
        "Ran on",
        *(f"  {name:<{width}}  {what}" for name, what in parts.items()),
        f"Skipped: {count}{of_all} end-to-end tests",
        *(line for reason, names in skipped.items() for line in [f"  {reason}:", *(f"    {name}" for name in names)]),
    ]


def _lanes(skipped: dict[str, list[str]], temporary: dict[str, str]) -> dict[str, Lane]:
    """Compile while the stack is deployed: the Cargo process that runs the tests waits for the one that builds them."""
    left_out = [word for names in skipped.values() for name in names for word in ("--skip", name)]
    on_a_stack = ("exec", "--built", "--emulator", LOCALSTACK.name, "--dir", _FOLDER, "--port", "0", "--")
    return {
        "build": Lane([suites.local("functions", "build")]),
        "tests": Lane([Step("compile", ["cargo", "build", *_SELECTION, "--bin", "twolane"])], after=["build"]),
        "executor": Lane([Step("executor", _executor_tests(temporary))], after=["build"]),
        "e2e": Lane([suites.local("e2e", *on_a_stack, *_END_TO_END, "--", "--exact", *left_out)], after=["build"]),
    }


def _executor_tests(temporary: dict[str, str]) -> list[str]:
    """Run with LocalStack's Python, which has botocore. LocalStack is a separate process."""
    discover = ["-m", "unittest", "discover", "-s", str(LOCALSTACK_FOLDER / "tests")]
    variables = {**temporary, "PYTHONPATH": str(LOCAL_FOLDER), "PYTHONDONTWRITEBYTECODE": "1"}
    return ["env", *(f"{name}={value}" for name, value in variables.items()), str(tools.python(LOCALSTACK.tool_set)), *discover]


def _names(root: Path) -> list[str]:
    """The names of all end-to-end tests."""
    command = [*_END_TO_END, "--", "--list", "--format", "terse"]
    environment = {**without_aws(), **build_target()}
    listed = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)
    if listed.returncode:
        raise Failure(f"The end-to-end tests cannot be listed:\n{listed.stderr}")
    return names_of(listed.stdout)
