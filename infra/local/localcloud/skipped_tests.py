"""Lists of end-to-end tests to skip, by reason."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from .failure import Failure
from .layout import REPOSITORY


def read_skipped(path: Path) -> dict[str, list[str]]:
    """The names of skipped tests, by reason."""
    return json.loads(path.read_text(encoding="utf-8"))


def refuse_stale(skipped: dict[str, list[str]], known: Iterable[str], path: Path) -> None:
    """Fail if the list in `path` names a test that does not exist: it may have been renamed, and would run."""
    stale = sorted({name for names in skipped.values() for name in names} - set(known))
    if stale:
        shown = path.relative_to(REPOSITORY) if path.is_relative_to(REPOSITORY) else path
        raise Failure(
            f"These skipped tests do not exist: {', '.join(stale)}.\n"
            f"  Do:   correct the names in {shown}, or remove them."
        )


def names_of(listed: str) -> list[str]:
    """The names of tests in the output of a test binary with `--list --format terse`."""
    return [line.removesuffix(": test") for line in listed.splitlines() if line.endswith(": test")]
