"""Temporary folders for programs: in the project, and removed with all their files."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from .files import refuse_unwritable

# Prefix of the process id in the folder's name.
_PREFIX = "tmp-"


@contextlib.contextmanager
def temporary_folder(root: Path) -> Iterator[dict[str, str]]:
    """Create a folder in the project's `.local`, and remove it afterwards. Yields the variable with which programs use it.

    Folders of killed processes are removed first.
    """
    parent = root / ".local"
    refuse_unwritable(parent / _PREFIX)
    for left in parent.glob(f"{_PREFIX}*"):
        if not _is_used(left):
            shutil.rmtree(left, ignore_errors=True)
    # Interrupted programs may still write while they end.
    with tempfile.TemporaryDirectory(prefix=f"{_PREFIX}{os.getpid()}-", dir=parent, ignore_cleanup_errors=True) as folder:
        yield {"TMPDIR": folder}


def _is_used(folder: Path) -> bool:
    """Whether the process of the folder is still running."""
    process = folder.name.removeprefix(_PREFIX).partition("-")[0]
    try:
        os.kill(int(process), 0)
    except (ValueError, ProcessLookupError):
        return False
    except PermissionError:
        return True
    return True
