"""The minimum versions are the same in code, manifests and documentation, and the messages about them are readable."""

from __future__ import annotations

import re
import subprocess
import sys
import unittest
from unittest import mock

from localcloud.failure import Failure
from localcloud.layout import LOCAL_FOLDER, REPOSITORY
from localcloud.prerequisites import MINIMUM_RUST, NEWEST_PYTHON, check_python

_PYTHON = (3, 10)
_MAINS = (LOCAL_FOLDER, REPOSITORY / "infra" / "aws")
_README = (REPOSITORY / "README.md").read_text(encoding="utf-8")
_DEPLOYING = (REPOSITORY / "docs" / "deploying.md").read_text(encoding="utf-8")


def dotted(version: tuple[int, ...]) -> str:
    return ".".join(map(str, version))


class LeastVersions(unittest.TestCase):
    def test_of_rust_is_the_same_everywhere(self) -> None:
        (manifest,) = re.findall(r'^rust-version = "(.+)"$', (REPOSITORY / "Cargo.toml").read_text(encoding="utf-8"), re.MULTILINE)

        self.assertEqual(manifest, dotted(MINIMUM_RUST))
        self.assertIn(f"Rust ≥ {manifest}", _README)

    def test_of_python_is_the_same_everywhere(self) -> None:
        locked = f"--python-version {dotted(_PYTHON)} "

        self.assertIn(f"Python {dotted(_PYTHON)} to {dotted(NEWEST_PYTHON)}", _README)
        self.assertIn(locked, (LOCAL_FOLDER / "README.md").read_text(encoding="utf-8"))
        for folder in _MAINS:
            self.assertIn(f"sys.version_info < {_PYTHON}", (folder / "__main__.py").read_text(encoding="utf-8"))

    def test_of_the_users_tools_are_not_newer_than_the_pinned_ones(self) -> None:
        pinned = (LOCAL_FOLDER / "requirements" / "sam.in").read_text(encoding="utf-8")
        for title, package in (("AWS SAM CLI", "aws-sam-cli"), ("cargo-lambda", "cargo-lambda")):
            (least,) = re.findall(rf"^\| {title} \| ([\d.]+) \|", _DEPLOYING, re.MULTILINE)
            (used,) = re.findall(rf"^{package}==([\d.]+)$", pinned, re.MULTILINE)

            self.assertLessEqual(*(tuple(map(int, version.split("."))) for version in (least, used)), title)

    def test_a_python_that_is_too_new_for_the_tools_is_named(self) -> None:
        with mock.patch.object(sys, "version_info", (3, 99, 0)), self.assertRaisesRegex(Failure, "Python 3.99 is too new") as raised:
            check_python()

        self.assertIn(f"PYTHON=python{dotted(NEWEST_PYTHON)}", str(raised.exception))

    def test_an_old_python_gets_advice(self) -> None:
        for folder in _MAINS:
            with self.subTest(folder.name):
                old = f"import runpy, sys; sys.version_info = (3, 9, 18); runpy.run_path({str(folder)!r}, run_name='__main__')"

                done = subprocess.run([sys.executable, "-c", old], capture_output=True, text=True, check=False)

                self.assertEqual(done.returncode, 1)
                self.assertIn("this is Python 3.9", done.stderr)
                self.assertIn("PYTHON=python3.12", done.stderr)
                self.assertNotIn("Traceback", done.stderr)
