"""Atomic writes and file locks."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from .failure import Failure
from .layout import short

# Mode of a new file, before the umask.
_USUAL = 0o666
OF_ITS_OWNER_ALONE = 0o600


def write_json(path: Path, document: Any) -> None:
    """Write a JSON document atomically: a reader sees the old file or the new one."""
    write_whole(path, json.dumps(document, indent=2) + "\n")


def write_whole(path: Path, text: str, mode: int = _USUAL) -> None:
    """Write a file atomically: a reader sees the old file or the new one. It has `mode` from its first byte on."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        draft.unlink(missing_ok=True)
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w", encoding="utf-8") as written:
            written.write(text)
        os.replace(draft, path)
    except OSError as error:
        with contextlib.suppress(OSError):
            draft.unlink()
        raise _cannot_be_written(path, error) from error


def refuse_unwritable(path: Path) -> None:
    """Fail before long work if its result cannot be written to the file."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path.parent):
            pass
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    except OSError as error:
        raise _cannot_be_written(path, error) from error


def _cannot_be_written(path: Path, error: OSError) -> Failure:
    return Failure(
        f"{short(path)} cannot be written: {error.strerror}.\n"
        f"  Do:   check the free space, and the permission to write to {short(path.parent)}; then run the same command again."
    )


def read_json(path: Path) -> dict[str, Any] | None:
    """The object in a JSON file, or None if it cannot be read."""
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
    """Hold the lock file exclusively. If another process holds it, call `on_wait` once and wait."""
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
    """Hold the lock file shared, so that no process can hold it exclusively. Waits for one that does."""
    with _open_lock(path) as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
        yield


@contextlib.contextmanager
def exclusive_or_fail(path: Path, message: str) -> Iterator[None]:
    """Hold the lock file exclusively. If another process holds it, fail with `message`."""
    with _open_lock(path) as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Failure(message.format(holder=_holder(path))) from None
        _sign(lock)
        yield


def holder_of(path: Path) -> str | None:
    """The process that holds the lock file exclusively; None if no process does."""
    try:
        with path.open(encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _holder(path)
    except OSError:
        # Missing, or not readable by this user.
        return None
    return None


def _open_lock(path: Path) -> Any:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return open(path, "a+", encoding="utf-8")  # noqa: SIM115  (closed by the caller's `with`)
    except OSError as error:
        raise _cannot_be_written(path, error) from error


def _sign(lock: Any) -> None:
    lock.seek(0)
    lock.truncate()
    lock.write(str(os.getpid()))
    lock.flush()


def _holder(path: Path) -> str:
    return path.read_text(encoding="utf-8").strip() or "unknown"
