"""The report of `test-localstack` on skipped tests."""

from __future__ import annotations

import unittest
from pathlib import Path

from localcloud import skipped_tests
from localcloud.checks import localstack_suite
from localcloud.emulators import LOCALSTACK
from localcloud.failure import Failure

SKIPPED = {"it needs a socket": ["sockets::opens", "sockets::closes"]}


class Skipped(unittest.TestCase):
    def test_each_is_named_with_its_reason_and_the_versions(self) -> None:
        parts = {"emulator": "E 1", "executor": "X", "engine": "D 2"}

        lines = localstack_suite.report(parts, SKIPPED, ["a", *SKIPPED["it needs a socket"]])

        self.assertEqual(
            lines,
            [
                "Ran on",
                "  emulator  E 1",
                "  executor  X",
                "  engine    D 2",
                "Skipped: 2 of 3 end-to-end tests",
                "  it needs a socket:",
                "    sockets::opens",
                "    sockets::closes",
            ],
        )

    def test_one_that_does_not_exist_fails_the_command(self) -> None:
        with self.assertRaises(Failure) as raised:
            skipped_tests.refuse_stale(SKIPPED, ["sockets::opens", "sockets::shuts"], Path("skipped.json"))

        self.assertIn("skipped tests do not exist: sockets::closes", str(raised.exception))
        self.assertNotIn("sockets::opens", str(raised.exception))

    def test_those_of_the_repository_are_each_named_once(self) -> None:
        names = [name for names in skipped_tests.read_skipped(localstack_suite.SKIPPED).values() for name in names]

        self.assertEqual(sorted(names), sorted(set(names)))

    def test_the_reason_is_true_for_the_emulator(self) -> None:
        self.assertEqual(LOCALSTACK.stack_parameters["Callbacks"], "none")
        for reason in skipped_tests.read_skipped(localstack_suite.SKIPPED):
            self.assertIn("Callbacks=none", reason)
