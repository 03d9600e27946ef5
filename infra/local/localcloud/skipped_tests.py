"""Lists of end-to-end tests that cannot pass somewhere, by the reason: what is skipped is told, and is there."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from .failure import Failure
from .layout import REPOSITORY


def read_skipped(path: Path) -> dict[str, list[str]]:
    """Names of tests by the reason why they are skipped."""
    return json.loads(path.read_text(encoding="utf-8"))


def refuse_stale(skipped: dict[str, list[str]], known: Iterable[str], path: Path) -> None:
    """Fail when a test is skipped that there is not: it may have another name now, and be run. The list is that of `path`."""
    stale = sorted({name for names in skipped.values() for name in names} - set(known))
    if stale:
        shown = path.relative_to(REPOSITORY) if path.is_relative_to(REPOSITORY) else path
        raise Failure(
            f"There is no such test any more: {', '.join(stale)}.\n"
            f"  Do:   remove it from {shown}, or write its present name there."
        )


def names_of(listed: str) -> list[str]:
    """The tests in what a test binary prints with `--list --format terse`."""
    return [line.removesuffix(": test") for line in listed.splitlines() if line.endswith(": test")]
