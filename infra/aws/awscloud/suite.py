"""Selects the end-to-end tests that work on any stack, and runs them."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from localcloud.environment import without_aws
from localcloud.failure import Failure
from localcloud.skipped_tests import names_of, read_skipped, refuse_stale

# As in `make test`, so that nothing is compiled twice.
_ALL = ("--locked", "--workspace", "--all-features")
# Only a local stack can pass these, by reason.
SKIPPED = Path(__file__).resolve().parent.parent / "skipped_tests.json"
_GRACE_SECONDS = 10.0


@dataclass(frozen=True)
class Selection:
    """The tests to run, and the skipped ones with the reason."""

    run: list[str]
    skipped: dict[str, str]


def build(root: Path) -> Path:
    """Compile the tests, and the command line that they run; returns the path of the test binary."""
    command = ["cargo", "build", *_ALL, "--bins", "--examples", "--test", "e2e", "--message-format", "json-render-diagnostics"]
    # Compilers and build scripts need no AWS credentials.
    built = subprocess.run(command, cwd=root, env=without_aws(), stdout=subprocess.PIPE, text=True, check=False)
    if built.returncode:
        raise Failure("The tests do not compile. Cargo's message is above.")
    messages = map(json.loads, built.stdout.splitlines())
    artifacts = [message for message in messages if message["reason"] == "compiler-artifact" and message["target"]["name"] == "e2e"]
    return Path(artifacts[-1]["executable"])


def select(tests: Path, patterns: list[str], path: Path = SKIPPED) -> Selection:
    """Select the tests that match a pattern; fails if the list of skipped tests names one that does not exist."""
    listed = subprocess.run([str(tests), "--list", "--format", "terse"], stdout=subprocess.PIPE, text=True, check=True)
    names, skipped = names_of(listed.stdout), read_skipped(path)
    refuse_stale(skipped, names, path)
    local = {name: reason for reason, tests_of_it in skipped.items() for name in tests_of_it}
    wanted = [name for name in names if not patterns or any(_is_meant(name, pattern) for pattern in patterns)]
    run = [name for name in wanted if name not in local]
    if not run:
        raise Failure(f"No test that can run matches {' or '.join(patterns)}.")
    return Selection(run, {name: local[name] for name in wanted if name in local})


def _is_meant(name: str, pattern: str) -> bool:
    """Whether a word of the name begins with the pattern: `sync_lane` is not `async_lane`."""
    return re.search(rf"\b{re.escape(pattern)}", name) is not None


def run(root: Path, tests: Path, names: list[str], environment: Mapping[str, str]) -> int:
    """Run the tests, then kill every process that they started."""
    # Where Cargo runs them. In a separate process group, so that Ctrl-C does not end only a part of it.
    process = subprocess.Popen([str(tests), "--exact", *names], cwd=root / "tests", env=dict(environment), start_new_session=True)
    try:
        return process.wait()
    finally:
        for number in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_GRACE_SECONDS)
