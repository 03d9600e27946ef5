"""What `check` and `tests` run, in lanes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from .. import commands, lanes, tools
from ..environment import build_target, without_aws
from ..failure import Failure
from ..interrupts import signals_as_interrupts
from ..lanes import Lane, Step
from ..layout import AWS_TESTS_FOLDER, LOCAL_FOLDER
from ..prerequisites import check_rust

_ALL = ("--locked", "--workspace", "--all-features")
# Suites that share a stack. Cargo runs them in the order of their names; `logs` reads the logs of those before it.
_READING = ("attacks", "differential", "e2e", "logs", "page")
_FAULTS = ("faults", "logs")
_CHANGING = ("privileges", "throttles", "tutorial")
# Needed by `tests` and `check`.
TOOL_SETS = (tools.MINISTACK, tools.SAM, tools.CHECKOV, tools.TEST, tools.CARGO, tools.PROSE)


def check(target: commands.Target) -> int:
    """Formatting, lints, documentation, template policies and dependencies."""
    return in_lanes(target, lanes_of_check())


def tests(target: commands.Target) -> int:
    """Run `check` and every test."""
    check_rust()
    return in_lanes(target, lanes_of_tests(suites_of(target.project.root)))


def in_lanes(target: commands.Target, wanted: dict[str, Lane]) -> int:
    """Run the lanes; 0 when every step passed.

    No step sees the user's AWS settings. Cargo, which has no terminal there, uses colours where this process has one.
    """
    colours = {"CARGO_TERM_COLOR": "always"} if sys.stdout.isatty() else {}
    with signals_as_interrupts():
        outcomes = lanes.run(wanted, target.project.root, {**without_aws(), **build_target(), **colours})
    return 0 if all(outcome.code == 0 for outcome in outcomes) else 1


def lanes_of_check() -> dict[str, Lane]:
    """Formatting, lints and documentation of the Rust code; concurrently, the rules of the template and of the dependencies."""
    documentation = ["cargo", "doc", *_ALL, "--lib", "--bins", "--examples", "--no-deps", "--document-private-items", "--quiet"]
    rust = [
        Step("fmt", ["cargo", "fmt", "--all", "--check"]),
        Step("clippy", ["cargo", "clippy", *_ALL, "--all-targets", "--", "-D", "warnings"]),
        Step("doc", ["env", "RUSTDOCFLAGS=-D warnings", *documentation]),
    ]
    return {"rust": Lane(rust), "rules": Lane([local("lint", "lint"), local("audit", "audit"), local("prose", "prose")])}


def lanes_of_tests(suites: Iterable[str]) -> dict[str, Lane]:
    """`check`, everything that is compiled, and all tests: `suites` are the names of all test binaries of the workspace.

    Suites that change the deployment have separate stacks, so that they can run concurrently.
    """
    rust, rules = lanes_of_check().values()
    build = [
        # Functions first: cargo-lambda moves their binaries to target/lambda.
        local("functions", "build"),
        # Libraries, binaries, tests and examples, in one go.
        Step("workspace", ["cargo", "build", *_ALL, "--all-targets"]),
    ]
    without_a_stack = [suite for suite in suites if suite not in (*_READING, *_FAULTS, *_CHANGING)]
    crates = [
        Step("tests", ["cargo", "test", *_ALL, "--lib", "--bins", *_named(without_a_stack)]),
        Step("documentation", ["cargo", "test", *_ALL, "--doc"]),
    ]
    return {
        "tools": Lane([local("install", "tools", *TOOL_SETS)]),
        "rust": Lane([*rust.steps, *build]),
        "rules": Lane(rules.steps, after=["tools"]),
        "faults": Lane([_suites("faults", _FAULTS)], after=["rust"]),
        "changing": Lane([_suites("changing", _CHANGING)], after=["rust"]),
        "reading": _behind(_suites("reading", _READING), _aws("reading", "on_a_small_stack", "on_domains", "on_github"), after=["rust"]),
        "aws": _behind(_aws("aws", "on_a_stack"), after=["rust"]),
        "crates": _behind(*crates, after=["rust"]),
        "local": _behind(local("selftest", "selftest"), after=["rust", "tools"]),
    }


def _behind(*steps: Step, after: Sequence[str]) -> Lane:
    """A lane with a lower priority: tests in the other lanes depend on seconds."""
    return Lane([replace(step, gives_way=True) for step in steps], after)


def suites_of(root: Path) -> list[str]:
    """The names of all test binaries of the workspace."""
    command = ["cargo", "metadata", "--locked", "--no-deps", "--format-version", "1"]
    listed = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    if listed.returncode:
        raise Failure(f"Cargo cannot read the workspace:\n{listed.stderr}")
    targets = [target for package in json.loads(listed.stdout)["packages"] for target in package["targets"]]
    return [target["name"] for target in targets if "test" in target["kind"]]


def _suites(folder: str, names: Sequence[str]) -> Step:
    return _on_a_stack(folder, ", ".join(names), ["cargo", "test", *_ALL, *_named(names)])


def _aws(folder: str, *modules: str) -> Step:
    """Tests of `deploy`, `smoke` and `destroy`: they deploy more stacks to the emulator."""
    path = os.pathsep.join(str(folder) for folder in (AWS_TESTS_FOLDER.parent, LOCAL_FOLDER))
    named = [f"{AWS_TESTS_FOLDER.name}.{module}" for module in modules]
    command = ["env", f"PYTHONPATH={path}", str(tools.python(tools.SAM)), "-m", "unittest", "-v", *named]
    return _on_a_stack(folder, f"aws {', '.join(modules)}", command)


def _named(suites: Iterable[str]) -> list[str]:
    return [word for suite in suites for word in ("--test", suite)]


def _on_a_stack(folder: str, name: str, command: Sequence[str]) -> Step:
    """The command with a fresh instance in a separate folder."""
    return local(name, "exec", "--built", "--dir", f".local/test/{folder}", "--port", "0", "--", *command)


def local(name: str, *arguments: str) -> Step:
    return Step(name, [sys.executable, str(LOCAL_FOLDER), *arguments])
