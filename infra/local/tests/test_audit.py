"""Known vulnerabilities: the real cargo-deny on a small workspace, with this repository's rules and a database of the test."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from localcloud.environment import without_aws
from localcloud.layout import LOCAL_FOLDER, REPOSITORY

# Downloaded by builds of this repository.
_CRATE = "cfg-if"
_MANIFEST = """[workspace]

[package]
name = "audited"
version = "1.0.0"
edition = "2024"
license = "MIT"
publish = false

[dependencies]
cfg-if = "1"
"""
_CODE = "cfg_if::cfg_if! { if #[cfg(unix)] { fn main() {} } else { fn main() {} } }\n"
_ADVISORY = """```toml
[advisory]
id = "RUSTSEC-2026-9999"
package = "PACKAGE"
date = "2026-01-01"

[versions]
patched = [">= 1000.0.0"]
```

# It lets anybody in
"""


class Advisories(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root, self.database = Path(folder.name, "workspace"), Path(folder.name, "database")
        (self.root / "src").mkdir(parents=True)
        (self.root / "Cargo.toml").write_text(_MANIFEST)
        (self.root / "src" / "main.rs").write_text(_CODE)
        (self.root / "Cargo.lock").write_text(_lock())
        rules = (REPOSITORY / "deny.toml").read_text()
        (self.root / "deny.toml").write_text(rules.replace("[advisories]\n", f'[advisories]\ndb-path = "{folder.name}/databases"\n'))

    def publish(self, package: str) -> None:
        """Make the database: one advisory, for all versions of that crate."""
        path = self.database / "crates" / package / "RUSTSEC-2026-9999.md"
        path.parent.mkdir(parents=True)
        path.write_text(_ADVISORY.replace("PACKAGE", package))
        author = ("-c", "user.name=Test", "-c", "user.email=test@example.org")
        for command in (("init", "--quiet", "--initial-branch", "main"), ("add", "."), (*author, "commit", "--quiet", "--message", "An advisory")):
            subprocess.run(["git", *command], cwd=self.database, env=without_aws(), check=True)

    def audit(self, *options: str) -> tuple[int, str]:
        """Exit code and output, with Git redirected from RustSec's database to the test's folder."""
        (url,) = re.findall(r'db-urls = \["(.*)"\]', (self.root / "deny.toml").read_text())
        git = {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": f"url.file://{self.database}.insteadOf", "GIT_CONFIG_VALUE_0": url}
        command = [sys.executable, str(LOCAL_FOLDER), "audit", "--project", str(self.root), *options]
        done = subprocess.run(command, env={**os.environ, **git}, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr

    def test_one_for_a_dependency_fails_with_its_id(self) -> None:
        self.publish(_CRATE)

        code, printed = self.audit()

        self.assertEqual(code, 1, printed)
        self.assertIn("RUSTSEC-2026-9999", printed)
        self.assertIn("error: cargo-deny found the violations above", printed)

    def test_one_for_another_crate_does_not(self) -> None:
        self.publish("another-crate")

        code, printed = self.audit("--require-advisories")

        self.assertEqual(code, 0, printed)
        self.assertIn("advisories ok", printed)
        self.assertNotIn("SKIPPED", printed)

    def test_are_reported_as_skipped_without_the_database(self) -> None:
        code, printed = self.audit()

        self.assertEqual(code, 0, printed)
        self.assertIn("advisories SKIPPED", printed)
        self.assertIn(f"'{self.database}'", printed)
        self.assertNotIn("advisories ok", printed)

    def test_fail_if_they_are_required_and_cannot_be_fetched(self) -> None:
        code, printed = self.audit("--require-advisories")

        self.assertEqual(code, 1, printed)
        self.assertIn("but --require-advisories requires it", printed)
        self.assertIn(f"'{self.database}'", printed)


def _lock() -> str:
    """The workspace's lock file, with this repository's version of the crate."""
    (locked,) = re.findall(rf'\[\[package\]\]\nname = "{_CRATE}"\n(?:.+\n)+', (REPOSITORY / "Cargo.lock").read_text())
    return f'version = 4\n\n[[package]]\nname = "audited"\nversion = "1.0.0"\ndependencies = ["{_CRATE}"]\n\n{locked}'
