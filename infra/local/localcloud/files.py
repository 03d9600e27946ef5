"""Small file operations that must not leave a half-written file or let two processes in at once."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from .failure import Failure


def write_json(path: Path, document: Any) -> None:
    """Write a JSON document so that a reader sees the old file or the new one, never a part."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    os.replace(draft, path)


def read_json(path: Path) -> dict[str, Any] | None:
    """The object in a JSON file, or None where there is none that can be read."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return document if isinstance(document, dict) else None


def tail(path: Path, lines: int = 25) -> str:
    """The last lines of a log, indented."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return "    (no log)"
    return "\n".join("    " + line for line in text.splitlines()[-lines:]) or "    (empty)"


@contextlib.contextmanager
def exclusive(path: Path, on_wait: Callable[[str], None]) -> Iterator[None]:
    """Hold the lock file; when another process has it, say so once and wait."""
    with _open_lock(path) as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            on_wait(_holder(path))
            fcntl.flock(lock, fcntl.LOCK_EX)
        _sign(lock)
        yield


@contextlib.contextmanager
def shared(path: Path) -> Iterator[None]:
    """Keep everybody from holding the lock file exclusively; wait for who does."""
    with _open_lock(path) as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
        yield


@contextlib.contextmanager
def exclusive_or_fail(path: Path, message: str) -> Iterator[None]:
    """Hold the lock file; when another process has it, fail with `message`."""
    with _open_lock(path) as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Failure(message.format(holder=_holder(path))) from None
        _sign(lock)
        yield


def _open_lock(path: Path) -> Any:
    path.parent.mkdir(parents=True, exist_ok=True)
    return open(path, "a+", encoding="utf-8")  # noqa: SIM115  (closed by the caller's `with`)


def _sign(lock: Any) -> None:
    lock.seek(0)
    lock.truncate()
    lock.write(str(os.getpid()))
    lock.flush()


def _holder(path: Path) -> str:
    return path.read_text(encoding="utf-8").strip() or "unknown"
