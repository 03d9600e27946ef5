"""The part of JSONPath that mapping templates use: `$`, `.name`, `['name']`, `[0]`, `[*]`, `.*`."""

from __future__ import annotations

import re
from typing import Any

_STEP = re.compile(
    r"""\.(?P<name>[^.\[\]*'"\s]+) | \[\s*(?P<quote>['"])(?P<quoted>.*?)(?P=quote)\s*\] | \[\s*(?P<index>-?\d+)\s*\]
        | (?P<wild>\.\* | \[\s*\*\s*\])""",
    re.VERBOSE,
)


class Missing(Exception):
    """Nothing at that path."""


def select(document: Any, path: str) -> Any:
    """The value at the path; a list of matches if it has a wildcard. Raises `Missing`."""
    path = path.strip()
    steps = path[1:] if path.startswith("$") else f".{path}" if path else ""
    found, many, at = [document], False, 0
    while at < len(steps):
        step = _STEP.match(steps, at)
        if step is None:
            raise Missing(path)
        at = step.end()
        if step["wild"]:
            many = True
            found = [child for value in found for child in _children(value)]
        else:
            found = [child for value in found for child in _child(value, step)]
    if not many and not found:
        raise Missing(path)
    return found if many else found[0]


def _children(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return list(value) if isinstance(value, list) else []


def _child(value: Any, step: re.Match[str]) -> list[Any]:
    if step["index"] is not None:
        index = int(step["index"])
        inside = isinstance(value, list) and -len(value) <= index < len(value)
        return [value[index]] if inside else []
    name = step["name"] if step["name"] is not None else step["quoted"]
    return [value[name]] if isinstance(value, dict) and name in value else []
