"""Temporary files of the programs that are run: below the project, and gone with whatever a program forgot there."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def temporary_folder(root: Path) -> Iterator[dict[str, str]]:
    """A new folder in `.local` of the project, as the environment variable that programs read; removed afterwards."""
    parent = root / ".local"
    parent.mkdir(exist_ok=True)
    # What was interrupted may still be writing while it ends.
    with tempfile.TemporaryDirectory(prefix="tmp-", dir=parent, ignore_cleanup_errors=True) as folder:
        yield {"TMPDIR": folder}
