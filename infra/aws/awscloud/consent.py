"""Questions before what costs or cannot be undone."""

from __future__ import annotations

import sys

from localcloud.failure import Failure


def require_answers(question: str) -> None:
    """Fail early where nobody can be asked."""
    if not sys.stdin.isatty():
        raise Failure(f"{question}, and there is no terminal to answer in.\n  Do:   add --yes (with make: ARGS=--yes) if that is all right.")


def agree(question: str) -> bool:
    """Whether the user types y or yes."""
    return _answer(f"{question} [y/N] ").lower() in ("y", "yes")


def agree_by_name(question: str, name: str) -> bool:
    """Whether the user types that name: for what is easily confused and cannot be undone."""
    return _answer(f"{question}\nType {name} to go on: ") == name


def _answer(prompt: str) -> str:
    try:
        return input(prompt).strip()
    except EOFError:
        return ""
