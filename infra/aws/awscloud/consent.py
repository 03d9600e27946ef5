"""Questions before actions that cost money or cannot be undone."""

from __future__ import annotations

import sys

from localcloud.failure import Failure


def require_answers(question: str) -> None:
    """Fail early if there is no terminal to ask questions in."""
    if not sys.stdin.isatty():
        raise Failure(f"{question}, but there is no terminal to answer in.\n  Do:   add --yes (with make: ARGS=--yes) to agree.")


def agree(question: str) -> bool:
    """Whether the user types y or yes."""
    return _answer(f"{question} [y/N] ").lower() in ("y", "yes")


def agree_by_name(question: str, name: str) -> bool:
    """Whether the user types the name, for actions that cannot be undone."""
    return _answer(f"{question}\nType {name} to continue: ") == name


def _answer(prompt: str) -> str:
    try:
        return input(prompt).strip()
    except EOFError:
        return ""
