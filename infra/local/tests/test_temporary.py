"""Temporary folders for programs."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from localcloud.layout import LOCAL_FOLDER
from localcloud.temporary import temporary_folder

_KILLED = """
import os, signal
from pathlib import Path
from localcloud.temporary import temporary_folder
with temporary_folder(Path.cwd()):
    os.kill(os.getpid(), signal.SIGKILL)
"""


class TemporaryFolders(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)

    def folders(self) -> list[Path]:
        return list((self.root / ".local").glob("tmp-*"))

    def test_that_of_a_killed_process_is_removed_with_the_next(self) -> None:
        environment = {**os.environ, "PYTHONPATH": str(LOCAL_FOLDER)}
        subprocess.run([sys.executable, "-c", _KILLED], cwd=self.root, env=environment, check=False)
        (left,) = self.folders()

        with temporary_folder(self.root):
            self.assertFalse(left.exists())

        self.assertEqual(self.folders(), [])

    def test_that_of_another_process_stays_while_it_runs(self) -> None:
        with temporary_folder(self.root) as others, temporary_folder(self.root):
            self.assertTrue(Path(others["TMPDIR"]).exists())
