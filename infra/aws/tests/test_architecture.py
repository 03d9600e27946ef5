"""The processor that functions were built for, and the one that the stack would get: real processes, a recording endpoint."""

from __future__ import annotations

import tempfile
import unittest
from pathlib import Path

from localcloud.layout import REPOSITORY
from recorder import TWOLANE, Recorder
from test_preconditions import run

_KEYS = {"AWS_ACCESS_KEY_ID": "AKIAOTHER", "AWS_SECRET_ACCESS_KEY": "other"}
_MACHINES = {"x86_64": 0x3E, "arm64": 0xB7, "another processor": 0xF3}
# Small enough to build quickly.
_TEMPLATE = f"""
Transform: AWS::Serverless-2016-10-31
Description: '{TWOLANE}'
Parameters:
  Architecture: {{Type: String, Default: arm64}}
Resources:
  Function:
    Type: AWS::Serverless::Function
    Metadata: {{BuildMethod: makefile}}
    Properties: {{CodeUri: source, Handler: bootstrap, Runtime: provided.al2023, Architectures: [!Ref Architecture]}}
"""


class Architecture(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.built = Path(folder.name)
        (self.built / "template.yaml").write_text((REPOSITORY / "template.yaml").read_text())

    def build(self, function: str, machine: str) -> None:
        """The first bytes of a Linux program for that processor."""
        (self.built / function).mkdir()
        header = b"\x7fELF\x02\x01\x01".ljust(18, b"\0") + _MACHINES[machine].to_bytes(2, "little")
        (self.built / function / "bootstrap").write_bytes(header)

    def deploy(self, *options: str, stack: dict[str, str] | None = None) -> tuple[str, list[str]]:
        """What is printed, and what was asked of AWS; SAM's part, if it runs, fails."""
        recorder = Recorder(parameters=stack or {}, refuses=("CreateChangeSet",))
        self.addCleanup(recorder.close)
        code, printed = run("deploy", "--yes", "--built", str(self.built), "--region", "eu-central-1", "--endpoint-url", recorder.url, *options, **_KEYS)
        self.assertEqual(code, 1, printed)
        self.assertNotIn("Traceback", printed)
        return printed, recorder.operations()

    def test_a_first_build_is_for_the_stacks_processor(self) -> None:
        (self.built / "template.yaml").write_text(_TEMPLATE)
        (self.built / "source").mkdir()
        (self.built / "source" / "Makefile").write_text("build-Function:\n\tinstall -m 700 Makefile $(ARTIFACTS_DIR)/bootstrap\n")
        (self.built / "samconfig.toml").write_text('version = 0.1\n[dev.global.parameters]\nstack_name = "a-stack"\n')
        recorder = Recorder(parameters={"Architecture": "x86_64"}, refuses=("CreateChangeSet",))
        self.addCleanup(recorder.close)

        _, printed = run("deploy", "--yes", "--project", str(self.built), "--region", "eu-central-1", "--endpoint-url", recorder.url, **_KEYS)

        # As SAM says.
        self.assertIn("architecture: x86_64", printed)
        self.assertIn("Build Succeeded", printed)
        self.assertEqual((self.built / ".aws-sam" / "build" / "Function" / "bootstrap").stat().st_mode & 0o777, 0o755)

    def assert_refused(self, expected: str, *options: str, stack: dict[str, str] | None = None) -> None:
        printed, operations = self.deploy(*options, stack=stack)

        self.assertIn(expected, printed)
        self.assertIn("make build ARCHITECTURE=", printed)
        self.assertEqual(set(operations), {"GetCallerIdentity", "DescribeStacks", "GetTemplateSummary"})

    def test_a_given_parameter_comes_first(self) -> None:
        self.build("One", "arm64")

        self.assert_refused("built for arm64, but the parameter Architecture is x86_64", "--parameter", "Architecture=x86_64")

    def test_the_stacks_parameter_comes_second(self) -> None:
        self.build("One", "arm64")

        self.assert_refused("built for arm64, but the parameter Architecture is x86_64", stack={"Architecture": "x86_64"})

    def test_the_templates_default_comes_last(self) -> None:
        self.build("One", "x86_64")

        self.assert_refused("built for x86_64, but the parameter Architecture is arm64")

    def test_one_function_for_another_processor_is_refused(self) -> None:
        self.build("One", "arm64")
        self.build("Other", "another processor")

        self.assert_refused("built for another processor, but the parameter Architecture is arm64")

    def test_functions_for_the_right_processor_are_deployed(self) -> None:
        self.build("One", "x86_64")

        printed, _ = self.deploy("--parameter", "Architecture=x86_64", stack={"Architecture": "arm64"})

        self.assertIn("Deploying", printed)

    def test_a_function_that_only_its_owner_may_run_is_deployed_for_all(self) -> None:
        self.build("One", "x86_64")
        bootstrap = self.built / "One" / "bootstrap"
        # As cargo leaves it under the umask 077.
        bootstrap.chmod(0o700)

        self.deploy("--parameter", "Architecture=x86_64")

        self.assertEqual(bootstrap.stat().st_mode & 0o777, 0o755)

    def test_a_missing_build_is_reported(self) -> None:
        (self.built / "template.yaml").unlink()

        self.assertIn("template.yaml cannot be read", self.deploy()[0])
