"""The end-to-end tests on LocalStack: its open-source core, with the tests of what makes it run functions, or its licensed image."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from . import commands, lanes, tools
from .emulators import LICENSED, LOCALSTACK, Emulator
from .environment import build_target, without_aws
from .failure import Failure
from .interrupts import signals_as_interrupts
from .lanes import Outcome, Step
from .layout import LOCAL_FOLDER, LOCALSTACK_FOLDER
from .skipped_tests import names_of, read_skipped, refuse_stale
from .temporary import temporary_folder

_FOLDER = ".local/localstack"
# The tests that cannot pass there, by the reason.
SKIPPED = LOCALSTACK_FOLDER / "skipped_tests.json"

# The tests, and the command line that they run, in one selection: Cargo compiles what they share once. Without the SDKs
# of other suites.
_SELECTION = ("--locked", "--package", "twolane-tests", "--package", "twolane", "--no-default-features", "--test", "e2e")
_END_TO_END = ("cargo", "test", *_SELECTION)


def run(target: commands.Target, licensed: bool = False) -> int:
    """Install, build, test; what it ran on and what it left out is told at the end, whatever became of the tests."""
    emulator = LICENSED if licensed else LOCALSTACK
    emulator.check()
    commands.ensure_tools(target.project, (emulator.tool_set, tools.SAM))
    root, skipped = target.project.root, read_skipped(SKIPPED)
    with signals_as_interrupts():
        outcomes = lanes.run({"build": [local("functions", "build", "--emulator", emulator.name)]}, root)
        if all(outcome.code == 0 for outcome in outcomes):
            with temporary_folder(root) as temporary:
                outcomes += lanes.run(_tests(emulator, skipped, temporary), root)
    failed = any(outcome.code != 0 for outcome in outcomes)
    known = [] if failed else _names(root)
    print("\n".join(["", *report(emulator.parts(), skipped, known, outcomes)]))
    if known:
        refuse_stale(skipped, known, SKIPPED)
    return 1 if failed else 0


def report(parts: dict[str, str], skipped: dict[str, list[str]], known: list[str], outcomes: list[Outcome]) -> list[str]:
    """What it ran on, what was skipped and why, how it went: lines for people."""
    width = max(map(len, parts))
    count = sum(map(len, skipped.values()))
    of_all = f" of {len(known)}" if known else ""
    return [
        "Ran on",
        *(f"  {name:<{width}}  {what}" for name, what in parts.items()),
        f"Skipped: {count}{of_all} end-to-end tests",
        *(line for reason, names in skipped.items() for line in [f"  {reason}:", *(f"    {name}" for name in names)]),
        *map(str, outcomes),
    ]


def _tests(emulator: Emulator, skipped: dict[str, list[str]], temporary: dict[str, str]) -> dict[str, list[Step]]:
    """Compiling beside the deployment: Cargo, which runs the tests, waits for the one that builds them."""
    left_out = [word for names in skipped.values() for name in names for word in ("--skip", name)]
    end_to_end = [*_END_TO_END, "--", "--exact", *left_out]
    on_a_stack = ("exec", "--built", "--emulator", emulator.name, "--dir", _FOLDER, "--port", "0", "--")
    return {
        "build": [
            Step("tests", [*_env(build_target()), "cargo", "build", *_SELECTION, "--bins"]),
        ],
        **({"executor": [Step("executor", _executor_tests(temporary))]} if emulator is LOCALSTACK else {}),
        "e2e": [local("e2e", *on_a_stack, *end_to_end)],
    }


def _executor_tests(temporary: dict[str, str]) -> list[str]:
    """With LocalStack's Python, which has botocore; LocalStack itself is a process beside it."""
    discover = ["-m", "unittest", "discover", "-s", str(LOCALSTACK_FOLDER / "tests")]
    variables = {**temporary, "PYTHONPATH": str(LOCAL_FOLDER), "PYTHONDONTWRITEBYTECODE": "1"}
    return [*_env(variables), str(tools.python(LOCALSTACK.tool_set)), *discover]


def _env(variables: dict[str, str]) -> list[str]:
    """The words before a command that set variables for it."""
    return ["env", *(f"{name}={value}" for name, value in variables.items())]


def _names(root: Path) -> list[str]:
    """All end-to-end tests that there are."""
    command = [*_END_TO_END, "--", "--list", "--format", "terse"]
    environment = {**without_aws(), **build_target()}
    listed = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)
    if listed.returncode:
        raise Failure(f"The end-to-end tests cannot be listed:\n{listed.stderr}")
    return names_of(listed.stdout)


def local(name: str, *arguments: str) -> Step:
    """A step that is a subcommand of the local cloud."""
    return Step(name, [sys.executable, str(LOCAL_FOLDER), *arguments])
