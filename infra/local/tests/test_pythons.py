"""The choice of the Python for tools that need another version."""

from __future__ import annotations

import os
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from localcloud import pythons
from localcloud.failure import Failure

# No machine has it.
VERSION = "3.99"


class Find(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        environment = {
            "PATH": f"{self.root / 'path'}:/usr/bin:/bin",
            "PYENV_ROOT": str(self.root / "pyenv"),
            "UV_PYTHON_INSTALL_DIR": str(self.root / "uv"),
        }
        patch = mock.patch.dict(os.environ, environment)
        patch.start()
        self.addCleanup(patch.stop)

    def interpreter(self, path: str, *, minor: int = 99, code: int = 0) -> str:
        """A program that reports this Python version, or fails like a shim of pyenv without a version."""
        script = self.root / path
        script.parent.mkdir(parents=True)
        script.write_text(f'#!/bin/sh\necho \'["{script}", [3, {minor}, 1], "/usr"]\'\nexit {code}\n')
        script.chmod(0o755)
        return str(script)

    def test_on_the_path_and_in_the_folders_of_pyenv_and_uv(self) -> None:
        for path in (f"path/python{VERSION}", "pyenv/versions/3.99.1/bin/python3", "uv/cpython-3.99.1-linux/bin/python3"):
            with self.subTest(path):
                found = self.interpreter(path)

                self.assertEqual(pythons.find(VERSION, "X", "why"), pythons.Python(found, (3, 99, 1), "/usr"))

                Path(found).unlink()

    def test_programs_that_do_not_run_and_other_versions_are_skipped(self) -> None:
        self.interpreter(f"path/python{VERSION}", code=127)
        self.interpreter("pyenv/versions/3.98.0/bin/python3", minor=98)
        found = self.interpreter("uv/cpython-3.99.1-linux/bin/python3")

        self.assertEqual(pythons.find(VERSION, "X", "why").path, found)

    def test_the_running_one_is_used_if_it_fits(self) -> None:
        running = pythons.Python.running()

        self.assertEqual(pythons.find(".".join(map(str, running.version[:2])), "X", "why").path, running.path)

    def test_the_failure_names_what_is_missing_and_what_to_do(self) -> None:
        with self.assertRaises(Failure) as raised:
            pythons.find(VERSION, "The second emulator", "it is so")

        message = str(raised.exception)
        for part in ("The second emulator needs Python 3.99", "it is so", "uv python install 3.99", "pyenv install 3.99", str(self.root)):
            self.assertIn(part, message)
