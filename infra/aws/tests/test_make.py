"""The arguments that `make` passes on: the real Makefile, with a program instead of `infra/aws` that prints its arguments."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import unittest
from pathlib import Path

from localcloud.layout import REPOSITORY
from odd_values import ODD_VALUES

_PRINTER = "import json, sys; print(json.dumps(sys.argv[1:]))\n"


class Make(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.printer = Path(folder.name) / "printer.py"
        self.printer.write_text(_PRINTER)

    def run_make(self, target: str, *variables: str, **environment: str) -> subprocess.CompletedProcess[str]:
        command = ["make", "--silent", target, f"AWS=python3 {self.printer}", f"CLOUD=python3 {self.printer}", *variables]
        return subprocess.run(command, cwd=REPOSITORY, env={**os.environ, **environment}, capture_output=True, text=True, check=False)

    def passed_on(self, target: str, *variables: str, **environment: str) -> list[str]:
        """The arguments with which the program is called."""
        done = self.run_make(target, *variables, **environment)
        self.assertEqual(done.returncode, 0, done.stderr)
        arguments: list[str] = json.loads(done.stdout)
        return arguments

    def test_a_parameter_is_passed_on_as_typed(self) -> None:
        for value in ODD_VALUES:
            if not any(map(str.isspace, value)):
                with self.subTest(value=value):
                    self.assertEqual(self.passed_on("deploy", f"PARAMETERS=Jwks={value}")[-2:], ["--parameter", f"Jwks={value}"])

    def test_parameters_are_split_at_spaces(self) -> None:
        self.assertEqual(self.passed_on("deploy", "PARAMETERS=A='b  C=d\\")[-4:], ["--parameter", "A='b", "--parameter", "C=d\\"])

    def test_options_of_the_stack_are_passed_on_as_typed(self) -> None:
        options = {"CONFIG_ENV": "--config-env", "STACK": "--stack-name", "REGION": "--region", "PROFILE": "--profile", "ENDPOINT_URL": "--endpoint-url"}
        for target in ("deploy", "smoke", "destroy"):
            for variable, option in options.items():
                typed = "it's $(shell echo me) `id` \"a b\" \\"
                with self.subTest(target=target, variable=variable):
                    for arguments in (self.passed_on(target, f"{variable}={typed}"), self.passed_on(target, **{variable: typed})):
                        self.assertEqual(arguments[arguments.index(option) + 1], typed)
        for target, variable, option in (("up", "EMULATOR", "--emulator"), ("up", "PORT", "--port"), ("demo", "PORT", "--port"), ("build", "ARCHITECTURE", "--architecture")):
            with self.subTest(target=target, variable=variable):
                self.assertEqual(self.passed_on(target, f"{variable}=it's $a b"), [target, option, "it's $a b"])

    def test_options_that_are_not_given_are_not_passed_on(self) -> None:
        self.assertEqual(self.passed_on("deploy"), ["deploy", "--config-env", "dev"])
        self.assertEqual(self.passed_on("up", "PORT="), ["up"])

    def test_a_line_break_is_refused_with_the_reason(self) -> None:
        args = (("deploy", "ARGS"), ("smoke", "ARGS"), ("destroy", "ARGS"), ("bench", "ARGS"))
        for target, variable in (("deploy", "PARAMETERS"), ("destroy", "STACK"), ("up", "PORT"), *args):
            with self.subTest(target=target, variable=variable):
                done = self.run_make(target, f"{variable}=A=b\nc")

                self.assertNotEqual(done.returncode, 0)
                self.assertEqual(done.stdout, "")
                self.assertIn(f"{variable} has a line break, which make cannot pass on", done.stderr)

    def test_args_are_words_of_the_shell(self) -> None:
        self.assertEqual(self.passed_on("deploy", "ARGS=--parameter 'Note=two words' --yes")[-3:], ["--parameter", "Note=two words", "--yes"])

    def test_make_expands_nothing_in_args(self) -> None:
        typed = "--yes --parameter 'Note=$HOME and $(id) and $$'"
        words = ["--yes", "--parameter", "Note=$HOME and $(id) and $$"]
        for target in ("deploy", "smoke", "destroy"):
            with self.subTest(target=target):
                self.assertEqual(self.passed_on(target, f"ARGS={typed}")[-3:], words)
                self.assertEqual(self.passed_on(target, ARGS=typed)[-3:], words)

        planned = self.run_make("bench", "--dry-run", f"ARGS={typed}")
        self.assertTrue(planned.stdout.endswith(f"-- {typed}\n"), planned.stdout)
