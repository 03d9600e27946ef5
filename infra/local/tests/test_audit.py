"""What is said when known vulnerabilities cannot be looked up."""

from __future__ import annotations

import contextlib
import io
import unittest
from pathlib import Path
from unittest import mock

from localcloud import audit
from localcloud.failure import Failure


class Advisories(unittest.TestCase):
    def _audit(self, unreachable: str | None, required: bool = False) -> tuple[str, list[tuple[str, ...]]]:
        """What is printed, and which checks of cargo-deny are run."""
        checks: list[tuple[str, ...]] = []
        with (
            mock.patch.object(audit, "_deny", lambda _root, *names: checks.append(names)),
            mock.patch.object(audit, "_machete", lambda _root: None),
            mock.patch.object(audit, "_fetch_advisories", lambda _root: unreachable),
            contextlib.redirect_stdout(io.StringIO()) as printed,
        ):
            audit.audit(Path(), required)
        return printed.getvalue(), checks

    def test_are_checked_where_the_database_is_reachable(self) -> None:
        printed, checks = self._audit(unreachable=None)

        self.assertIn(("advisories",), checks)
        self.assertNotIn("SKIPPED", printed)

    def test_are_not_passed_over_in_silence(self) -> None:
        printed, checks = self._audit(unreachable="  no route")

        self.assertNotIn(("advisories",), checks)
        self.assertIn("advisories SKIPPED", printed)
        self.assertIn("no route", printed)

    def test_fail_where_they_are_required_and_cannot_be_had(self) -> None:
        with self.assertRaisesRegex(Failure, "no route"):
            self._audit(unreachable="  no route", required=True)
