"""A checkout with Git's default settings of Windows. WSL can use such checkouts, too."""

from __future__ import annotations

import subprocess
import tempfile
import unittest
from pathlib import Path

from localcloud.environment import without_aws
from localcloud.layout import REPOSITORY

_AS_ON_WINDOWS = ("git", "-c", "core.autocrlf=true")


@unittest.skipUnless((REPOSITORY / ".git").exists(), "this copy of the repository is not a checkout")
class Checkout(unittest.TestCase):
    def test_files_have_unix_line_endings(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            clone = [*_AS_ON_WINDOWS, "clone", "--quiet", "--no-local", "--depth", "1", str(REPOSITORY), folder]
            subprocess.run(clone, env=without_aws(), check=True)

            ending_otherwise = [path for path in Path(folder).rglob("*") if _is_text(path) and b"\r\n" in path.read_bytes()]

        self.assertEqual(ending_otherwise, [])


def _is_text(path: Path) -> bool:
    return path.is_file() and ".git" not in path.parts and b"\0" not in path.read_bytes()
