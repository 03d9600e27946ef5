"""Which program the demonstration runs after it was built."""

from __future__ import annotations

import contextlib
import io
import os
import tempfile
import unittest
from pathlib import Path

from localcloud import demo
from localcloud.layout import Project

# As Cargo reports what it built: a library, a program, the end.
_REPORT = """{"reason":"compiler-artifact","target":{"name":"lanes"},"executable":null}
{"reason":"compiler-artifact","target":{"name":"twolane"},"executable":"/shared/target/debug/twolane"}
{"reason":"build-finished","success":true}
"""


class CommandLine(unittest.TestCase):
    def test_is_where_cargo_says_whatever_folder_the_users_settings_name(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            cargo = Path(folder, "cargo")
            cargo.write_text(f"#!/bin/sh\ncat <<'END'\n{_REPORT}END\n")
            cargo.chmod(0o755)
            environment = {"PATH": f"{folder}{os.pathsep}{os.defpath}", "CARGO_TARGET_DIR": "elsewhere"}

            with contextlib.redirect_stdout(io.StringIO()):
                program = demo._build_command_line(Project(Path(folder)), environment)

        self.assertEqual(program, "/shared/target/debug/twolane")
