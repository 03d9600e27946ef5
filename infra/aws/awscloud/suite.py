"""The end-to-end tests: which fit any stack, and running those."""

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
# Tests that only a local stack can pass, by the reason.
SKIPPED = Path(__file__).resolve().parent.parent / "skipped_tests.json"
_GRACE_SECONDS = 10.0


@dataclass(frozen=True)
class Selection:
    """Tests to run, and those that are not, each with the reason."""

    run: list[str]
    skipped: dict[str, str]


def build(root: Path) -> Path:
    """Compile the tests and the command line, which they run; where the tests are."""
    command = ["cargo", "build", *_ALL, "--bins", "--examples", "--test", "e2e", "--message-format", "json-render-diagnostics"]
    # What compiles needs no way into the account.
    built = subprocess.run(command, cwd=root, env=without_aws(), stdout=subprocess.PIPE, text=True, check=False)
    if built.returncode:
        raise Failure("The tests could not be built; Cargo's message is above.")
    messages = map(json.loads, built.stdout.splitlines())
    artifacts = [message for message in messages if message["reason"] == "compiler-artifact" and message["target"]["name"] == "e2e"]
    return Path(artifacts[-1]["executable"])


def select(tests: Path, patterns: list[str], path: Path = SKIPPED) -> Selection:
    """What to run of all tests; fails when one is skipped that there is not."""
    listed = subprocess.run([str(tests), "--list", "--format", "terse"], stdout=subprocess.PIPE, text=True, check=True)
    names, skipped = names_of(listed.stdout), read_skipped(path)
    refuse_stale(skipped, names, path)
    local = {name: reason for reason, tests_of_it in skipped.items() for name in tests_of_it}
    wanted = [name for name in names if not patterns or any(_is_meant(name, pattern) for pattern in patterns)]
    run = [name for name in wanted if name not in local]
    if not run:
        raise Failure(f"No test to run is named like {' or '.join(patterns)}.")
    return Selection(run, {name: local[name] for name in wanted if name in local})


def _is_meant(name: str, pattern: str) -> bool:
    """Whether a word of the name begins with the pattern: `sync_lane` is not `async_lane`."""
    return re.search(rf"\b{re.escape(pattern)}", name) is not None


def run(root: Path, tests: Path, names: list[str], environment: Mapping[str, str]) -> int:
    """Run them; whatever they start ends with them."""
    # As Cargo runs them. A group of its own, of which a Ctrl-C of the terminal does not end a part.
    process = subprocess.Popen([str(tests), "--exact", *names], cwd=root / "tests", env=dict(environment), start_new_session=True)
    try:
        return process.wait()
    finally:
        for number in (signal.SIGTERM, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_GRACE_SECONDS)
