"""The choice of the browser for tests."""

from __future__ import annotations

import tempfile
import unittest
from pathlib import Path
from unittest import mock

from localcloud import browser
from localcloud.failure import Failure


class Browser(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.bin = Path(folder.name)
        patch = mock.patch.dict("os.environ", {"PATH": str(self.bin)})
        patch.start()
        self.addCleanup(patch.stop)
        self.said: list[str] = []

    def _program(self, name: str, script: str) -> str:
        path = self.bin / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        return str(path)

    def _as(self, user: int) -> str:
        with mock.patch("os.geteuid", lambda: user):
            return browser.browser(self.said.append)

    def test_the_first_one_that_answers_is_taken(self) -> None:
        self._program("chromium", "exit 1")
        chrome = self._program("google-chrome", "echo 99")

        self.assertEqual(self._as(user=1000), chrome)
        self.assertEqual(self.said, [])

    def test_only_root_installs_it(self) -> None:
        self._program("apt-get", "exit 0")

        with self.assertRaisesRegex(Failure, "Chromium was not found on the PATH"):
            self._as(user=1000)
        self.assertEqual(self.said, [])

    def test_root_installs_it(self) -> None:
        chromium = self.bin / "chromium"
        self._program("apt-get", f"[ $1 = update ] || {{ echo '#!/bin/sh' > {chromium}; /bin/chmod +x {chromium}; }}")

        self.assertEqual(self._as(user=0), str(chromium))
        self.assertEqual(self.said[-1], "chromium is installed")

    def test_a_failed_installation_prints_the_reason(self) -> None:
        self._program("apt-get", "echo 'E: no such package' >&2; exit 100")

        with self.assertRaisesRegex(Failure, "apt-get update` failed:\nE: no such package"):
            self._as(user=0)
