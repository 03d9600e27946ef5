"""Temporary files of the programs that are run: below the project, and gone with whatever a program forgot there."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from .files import refuse_unwritable

# Before the id of the process whose folder it is.
_PREFIX = "tmp-"


@contextlib.contextmanager
def temporary_folder(root: Path) -> Iterator[dict[str, str]]:
    """A new folder in `.local` of the project, as the environment variable that programs read; removed afterwards.

    Those of processes that were killed go first.
    """
    parent = root / ".local"
    refuse_unwritable(parent / _PREFIX)
    for left in parent.glob(f"{_PREFIX}*"):
        if not _is_used(left):
            shutil.rmtree(left, ignore_errors=True)
    # What was interrupted may still be writing while it ends.
    with tempfile.TemporaryDirectory(prefix=f"{_PREFIX}{os.getpid()}-", dir=parent, ignore_cleanup_errors=True) as folder:
        yield {"TMPDIR": folder}


def _is_used(folder: Path) -> bool:
    """Whether the process whose folder it is, is still there."""
    process = folder.name.removeprefix(_PREFIX).partition("-")[0]
    try:
        os.kill(int(process), 0)
    except (ValueError, ProcessLookupError):
        return False
    except PermissionError:
        return True
    return True
