"""Every test of the workspace and of the local cloud, in lanes: what needs nothing of the others goes beside them."""

from __future__ import annotations

import os
import sys

from . import tools
from .lanes import Step
from .layout import AWS_TESTS_FOLDER, LOCAL_FOLDER

_ALL = ("--locked", "--workspace", "--all-features")


def preparations() -> dict[str, list[Step]]:
    """All that is compiled, and beside it the local cloud's own tests, which need nothing of that.

    Functions first: cargo-lambda removes the other binaries, which tests run.
    """
    build = [
        _local("functions", "build"),
        # Examples that tests run, too.
        Step("binaries", ["cargo", "build", *_ALL, "--bins", "--examples"]),
        Step("tests", ["cargo", "test", *_ALL, "--no-run"]),
    ]
    return {"selftest": [_local("selftest", "selftest")], "build": build}


def tests() -> dict[str, list[Step]]:
    """All tests of the workspace, once they are built, on a stack of their own; then what deploys and tests other stacks."""
    on_a_stack = ("exec", "--built", "--dir", ".local/test", "--port", "0", "--")
    path = os.pathsep.join(str(folder) for folder in (AWS_TESTS_FOLDER.parent, LOCAL_FOLDER))
    modules = (f"{AWS_TESTS_FOLDER.name}.{name}" for name in ("on_a_stack", "on_a_small_stack", "on_github"))
    aws = ("env", f"PYTHONPATH={path}", str(tools.python(tools.SAM)), "-m", "unittest", "-v", *modules)
    return {"test": [_local("test", *on_a_stack, "cargo", "test", *_ALL), _local("aws", *on_a_stack, *aws)]}


def _local(name: str, *arguments: str) -> Step:
    return Step(name, [sys.executable, str(LOCAL_FOLDER), *arguments])
