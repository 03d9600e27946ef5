"""`selftest` with suites without a test."""

from __future__ import annotations

import contextlib
import io
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from localcloud.checks import selftest
from localcloud.commands import Target
from localcloud.failure import Failure
from localcloud.layout import REPOSITORY, Instance, Project, short


class SuitesWithoutTests(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.full, self.empty = Path(folder.name, "full"), Path(folder.name, "empty")
        self.full.mkdir()
        self.empty.mkdir()
        passes = "import unittest\nclass One(unittest.TestCase):\n    def test_passes(self): pass\n"
        (self.full / "test_one.py").write_text(passes, encoding="utf-8")

    def run_suites(self, *patterns: str) -> int:
        """The exit code of a suite with one test and another one without any."""
        suites = mock.patch.multiple(selftest, TESTS_FOLDER=self.full, AWS_TESTS_FOLDER=self.empty)
        installed = mock.patch.object(selftest.commands, "ensure_tools")
        with suites, installed, contextlib.redirect_stdout(io.StringIO()):
            return selftest.run(Target(Project(REPOSITORY), Instance(REPOSITORY / ".local"), None), list(patterns))

    def test_with_a_pattern_one_suite_may_have_no_such_test(self) -> None:
        self.assertEqual(self.run_suites("passes"), 0)

    def test_without_a_pattern_a_suite_without_a_test_fails(self) -> None:
        with self.assertRaises(Failure) as raised:
            self.run_suites()

        self.assertIn(f"No tests were found in {short(self.empty)}.", str(raised.exception))
