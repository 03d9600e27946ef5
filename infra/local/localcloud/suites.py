"""What `check` and `tests` run, in lanes."""

from __future__ import annotations

import os
import sys

from . import tools
from .lanes import Lane, Step
from .layout import AWS_TESTS_FOLDER, LOCAL_FOLDER

_ALL = ("--locked", "--workspace", "--all-features")
# All that `tests` and `check` need.
TOOL_SETS = (tools.EMULATOR, tools.SAM, tools.CHECKOV, tools.TEST, tools.CARGO)


def check() -> dict[str, Lane]:
    """Formatting, lints and documentation of the Rust code; beside it the rules of the template and of the dependencies."""
    documentation = ["cargo", "doc", *_ALL, "--lib", "--bins", "--examples", "--no-deps", "--document-private-items", "--quiet"]
    rust = [
        Step("fmt", ["cargo", "fmt", "--all", "--check"]),
        Step("clippy", ["cargo", "clippy", *_ALL, "--all-targets", "--", "-D", "warnings"]),
        Step("doc", ["env", "RUSTDOCFLAGS=-D warnings", *documentation]),
    ]
    return {"rust": Lane(rust), "rules": Lane([local("lint", "lint"), local("audit", "audit")])}


def tests() -> dict[str, Lane]:
    """`check`, everything that is compiled, and all tests."""
    rust, rules = check().values()
    build = [
        # Functions first: cargo-lambda removes the other binaries, which tests run.
        local("functions", "build"),
        # Libraries, binaries, tests and examples, in one go.
        Step("workspace", ["cargo", "build", *_ALL, "--all-targets"]),
    ]
    on_a_stack = ("exec", "--built", "--dir", ".local/test", "--port", "0", "--")
    path = os.pathsep.join(str(folder) for folder in (AWS_TESTS_FOLDER.parent, LOCAL_FOLDER))
    modules = (f"{AWS_TESTS_FOLDER.name}.{name}" for name in ("on_a_stack", "on_a_small_stack", "on_github"))
    aws = ("env", f"PYTHONPATH={path}", str(tools.python(tools.SAM)), "-m", "unittest", "-v", *modules)
    return {
        "tools": Lane([local("install", "tools", *TOOL_SETS)]),
        "rust": Lane([*rust.steps, *build]),
        "rules": Lane(rules.steps, after=["tools"]),
        "local": Lane([local("selftest", "selftest")], after=["tools"]),
        "test": Lane([local("test", *on_a_stack, "cargo", "test", *_ALL), local("aws", *on_a_stack, *aws)], after=["rust"]),
    }


def local(name: str, *arguments: str) -> Step:
    return Step(name, [sys.executable, str(LOCAL_FOLDER), *arguments])
