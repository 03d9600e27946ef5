"""`build` as a user runs it: functions built like those of template.yaml, next to another binary; the real SAM, cargo-lambda and Cargo."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import unittest
import zipfile
from pathlib import Path

from localcloud.environment import build_target
from localcloud.layout import LOCAL_FOLDER, REPOSITORY

# Name, build method and source of each function.
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
    """One project for all tests, built by Cargo and by `build`."""

    root: Path
    functions: list[tuple[str, ...]]

    @classmethod
    def setUpClass(cls) -> None:
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.root = Path(folder.name).resolve()
        cls.functions = _FUNCTION.findall((REPOSITORY / "template.yaml").read_text(encoding="utf-8"))
        described = (
            f"  {name}:\n    Type: AWS::Serverless::Function\n    {metadata}\n    Properties:\n      {code}\n" for name, metadata, code, _ in cls.functions
        )
        cls.write("template.yaml", _TEMPLATE + "".join(described))
        cls.write("samconfig.toml", "version = 0.1\n")
        cls.write("Cargo.toml", '[workspace]\nresolver = "2"\nmembers = ["functions/*", "console"]\n')
        for path in ("console", *(f"functions/{folder}" for *_, folder in cls.functions)):
            name = Path(path).name
            cls.write(f"{path}/Cargo.toml", f'[package]\nname = "{name}"\nversion = "0.1.0"\nedition = "2021"\n')
            cls.write(f"{path}/src/main.rs", f'fn main() {{ println!("{name}"); }}\n')
        cls.run_in_the_project("cargo", "build", "--quiet")
        cls.run_in_the_project(sys.executable, str(LOCAL_FOLDER), "build", "--project", str(cls.root))

    @classmethod
    def write(cls, path: str, text: str) -> None:
        (cls.root / path).parent.mkdir(parents=True, exist_ok=True)
        (cls.root / path).write_text(text)

    @classmethod
    def run_in_the_project(cls, *command: str) -> str:
        """Run it as a user who has set only this machine's target for Cargo; returns the output."""
        variables = {name: value for name, value in os.environ.items() if not name.startswith("CARGO_")}
        done = subprocess.run(command, cwd=cls.root, env={**variables, **build_target()}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, check=False)  # fmt: skip
        if done.returncode:
            raise AssertionError(done.stdout)
        return done.stdout

    def test_other_binaries_of_the_workspace_stay_where_they_are(self) -> None:
        (target,) = build_target().values()

        self.assertEqual(len(self.functions), len(list((REPOSITORY / "functions").iterdir())))
        for name, *_, folder in self.functions:
            self.assertEqual(self.run_in_the_project(str(self.root / ".local" / "build" / name / "bootstrap")), f"{folder}\n")
        self.assertEqual(self.run_in_the_project(str(self.root / "target" / target / "debug" / "console")), "console\n")

    def test_each_function_is_packed_for_every_stack_that_is_deployed(self) -> None:
        built = self.root / ".local" / "build"

        resources = json.loads((built / "template.yaml").read_text())["Resources"]
        named = [resource["Properties"]["CodeUri"] for resource in resources.values()]

        self.assertEqual(named, [f"{name}.zip" for name, *_ in self.functions])
        for archive in map(built.joinpath, named):
            with zipfile.ZipFile(archive) as opened:
                (entry,) = opened.infolist()
                self.assertEqual(opened.read("bootstrap"), (archive.with_suffix("") / "bootstrap").read_bytes())
                self.assertEqual(entry.external_attr >> 16 & 0o777, 0o755, "every user may run it")
