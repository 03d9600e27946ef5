"""`build` as a user meets it: functions that are built as template.yaml says, next to another binary; the real SAM, cargo-lambda and Cargo."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from localcloud.environment import build_target
from localcloud.layout import LOCAL_FOLDER, REPOSITORY

# Of each function: its name, how it is built, and from what.
_FUNCTION = re.compile(r"^  (\w+Function):\n    Type: AWS::Serverless::Function\n(?:    Condition: .+\n)?    (Metadata: .+)\n(?:.+\n)*?      (CodeUri: functions/(.+))\n", re.MULTILINE)
_TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Parameters:
  Architecture: {Type: String, Default: arm64}
Globals:
  Function: {Handler: bootstrap, Runtime: provided.al2023, Architectures: [!Ref Architecture]}
Resources:
"""


class Build(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name).resolve()
        self.functions = _FUNCTION.findall((REPOSITORY / "template.yaml").read_text(encoding="utf-8"))
        described = (f"  {name}:\n    Type: AWS::Serverless::Function\n    {metadata}\n    Properties: {{{code}}}\n" for name, metadata, code, _ in self.functions)
        self.write("template.yaml", _TEMPLATE + "".join(described))
        self.write("samconfig.toml", "version = 0.1\n")
        self.write("Cargo.toml", '[workspace]\nresolver = "2"\nmembers = ["functions/*", "console"]\n')
        for path in ("console", *(f"functions/{folder}" for *_, folder in self.functions)):
            name = Path(path).name
            self.write(f"{path}/Cargo.toml", f'[package]\nname = "{name}"\nversion = "0.1.0"\nedition = "2021"\n')
            self.write(f"{path}/src/main.rs", f'fn main() {{ println!("{name}"); }}\n')

    def write(self, path: str, text: str) -> None:
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(text)

    def run_in_the_project(self, *command: str) -> str:
        """Run it as a user does who has set nothing for Cargo but this machine's target; what it printed."""
        variables = {name: value for name, value in os.environ.items() if not name.startswith("CARGO_")}
        done = subprocess.run(command, cwd=self.root, env={**variables, **build_target()}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, check=False)  # fmt: skip
        self.assertEqual(done.returncode, 0, done.stdout)
        return done.stdout

    def test_other_binaries_of_the_workspace_stay_where_they_are(self) -> None:
        (target,) = build_target().values()
        self.run_in_the_project("cargo", "build", "--quiet")

        self.run_in_the_project(sys.executable, str(LOCAL_FOLDER), "build", "--project", str(self.root))

        self.assertEqual(len(self.functions), len(list((REPOSITORY / "functions").iterdir())))
        for name, *_, folder in self.functions:
            self.assertEqual(self.run_in_the_project(str(self.root / ".local" / "build" / name / "bootstrap")), f"{folder}\n")
        self.assertEqual(self.run_in_the_project(str(self.root / "target" / target / "debug" / "console")), "console\n")
