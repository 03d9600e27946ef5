"""Findings that are accepted, each with its reason; an exception without a finding fails."""

from __future__ import annotations

import fnmatch
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from ...failure import Failure
from .rules import LONG, SPELLING, WORD, Finding


@dataclass(frozen=True)
class Exceptions:
    """What a file of exceptions says."""

    accepted: list[dict[str, str]]
    _used: set[str] = field(default_factory=set)

    @classmethod
    def read(cls, path: Path) -> Exceptions:
        """Fails when an exception has no reason, or when it does not say what it is for."""
        exceptions = cls(json.loads(path.read_text(encoding="utf-8")))
        for entry in exceptions.accepted:
            if set(entry) != {"kind", "text", "paths", "reason"} or entry["kind"] not in (WORD, LONG, SPELLING):
                raise Failure(f"{path.name}: an exception has a kind ({WORD}, {LONG} or {SPELLING}), text, paths and a reason: {entry}")
        if missing := [entry["text"] for entry in exceptions.accepted if not entry["reason"].strip()]:
            raise Failure(f"{path.name}: no reason for {', '.join(missing)}")
        return exceptions

    def left(self, findings: Iterable[Finding]) -> list[Finding]:
        """The findings that no exception accepts."""
        return [finding for finding in findings if not self._accept(finding)]

    def unused(self) -> list[str]:
        """The exceptions that accepted none of the findings so far."""
        return [name for name in map(_name, self.accepted) if name not in self._used]

    def _accept(self, finding: Finding) -> bool:
        names = [_name(entry) for entry in self.accepted if _accepts(entry, finding)]
        self._used.update(names)
        return bool(names)


def _name(entry: dict[str, str]) -> str:
    return f"{entry['kind']} {entry['text']!r} in {entry['paths']}"


def _accepts(entry: dict[str, str], finding: Finding) -> bool:
    if entry["kind"] != finding.kind or not fnmatch.fnmatch(finding.path, entry["paths"]):
        return False
    text, found = entry["text"].casefold(), finding.found.casefold()
    return text in found if finding.kind == LONG else text == found
