"""Every test of the workspace and of the local cloud, in lanes: most of them wait most of the time."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from .failure import Failure
from .lanes import Step
from .layout import LOCAL_FOLDER

# Test targets that run on a stack of their own, beside all others. None: the fault suite's restarts and rates are not
# proved to bear the load.
_APART: tuple[str, ...] = ()

_ALL = ("--locked", "--workspace", "--all-features")


def preparations(root: Path) -> dict[str, list[Step]]:
    """All that is compiled, and beside it the local cloud's own tests, which need nothing of that.

    Functions first: cargo-lambda removes the other binaries, which tests run.
    """
    others, apart = _selected(_targets(root))
    build = [
        _local("functions", "build"),
        # Cargo builds these by itself only when it is not told which targets to test.
        Step("binaries", ["cargo", "build", *_ALL, "--bins", "--examples"]),
        Step("tests", ["cargo", "test", *_ALL, "--no-run", *others, *apart]),
    ]
    return {"selftest": [_local("selftest", "selftest")], "build": build}


def lanes(root: Path) -> dict[str, list[Step]]:
    """All tests of the workspace, once they are built."""
    others, apart = _selected(_targets(root))
    return {
        **({"apart": [_on_a_stack("apart", apart)]} if apart else {}),
        "test": [_on_a_stack("test", others), Step("documentation", ["cargo", "test", *_ALL, "--doc"])],
    }


def _selected(targets: list[dict]) -> tuple[list[str], list[str]]:
    """Cargo's arguments for the tests of both lanes: each target that `cargo test` tests by default is in one of them."""
    others, apart = ["--lib", "--bins"], []
    for target in sorted(targets, key=lambda target: target["name"]):
        for kind in ("test", "example"):
            if kind in target["kind"] and target["test"]:
                (apart if target["name"] in _APART else others).extend([f"--{kind}", target["name"]])
    return others, apart


def _targets(root: Path) -> list[dict]:
    command = ["cargo", "metadata", "--locked", "--no-deps", "--format-version", "1"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Failure(f"Cargo cannot read the workspace:\n{done.stderr}")
    return [target for package in json.loads(done.stdout)["packages"] for target in package["targets"]]


def _on_a_stack(name: str, targets: list[str]) -> Step:
    return _local(name, "exec", "--built", "--dir", f".local/{name}", "--port", "0", "--", "cargo", "test", *_ALL, *targets)


def _local(name: str, *arguments: str) -> Step:
    return Step(name, [sys.executable, str(LOCAL_FOLDER), *arguments])
