"""`deploy` and SAM's guide on an emulator: real processes, and a stack of one queue with Twolane's description.

Runs like `on_a_stack`. MiniStack's expansion of the real template differs each time, so a deployment of it always has changes.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
import unittest
from pathlib import Path
from unittest import mock

import boto3
from awscloud.stack import OURS
from localcloud.layout import REPOSITORY

from .cloud import SECONDS, Cloud, answer, without_endpoint
from .odd_values import ODD_VALUES

# One for each odd value.
_ODD = {f"Odd{number}": value for number, value in enumerate(ODD_VALUES)}
_TEMPLATE = f"""
Transform: AWS::Serverless-2016-10-31
Description: '{OURS}'
Parameters:
  Architecture: {{Type: String, Default: arm64}}
  Seconds: {{Type: Number, Default: 60}}
  Broken: {{Type: String, Default: 'false'}}
{"".join(f"  {name}: {{Type: String, Default: none}}{chr(10)}" for name in _ODD)}
Conditions:
  IsBroken: !Equals [!Ref Broken, 'true']
Resources:
  Queue: {{Type: AWS::SQS::Queue, Properties: {{VisibilityTimeout: !Ref Seconds}}}}
  Other: {{Type: AWS::SQS::Queue, Condition: IsBroken, Properties: {{QueueName: !GetAtt Queue.Nothing}}}}
Outputs:
  QueueUrl: {{Value: !Ref Queue}}
"""
# Instead of Twolane's template.
_RESOURCES = """
Resources:
  Queue: {Type: AWS::SQS::Queue}
Outputs:
  QueueUrl: {Value: !Ref Queue}
"""
_STACK = "twolane-small"
_SAMCONFIG = f"""
version = 0.1
[dev.deploy.parameters]
stack_name = "{_STACK}"
capabilities = "CAPABILITY_AUTO_EXPAND"
resolve_s3 = true
confirm_changeset = true
"""
_QUESTION = "Deploy this changeset"


class OnASmallStack(unittest.TestCase):
    """One stack for all tests. Each test that deploys sets a parameter to a value that no other test uses, so that there are changes."""

    folder: str
    endpoint: str

    @classmethod
    def setUpClass(cls) -> None:
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder, cls.endpoint = folder.name, Cloud().endpoint
        cls.addClassCleanup(cls.destroy)

    def setUp(self) -> None:
        self.write(_TEMPLATE, _SAMCONFIG)
        stacks = boto3.client("cloudformation").list_stacks()["StackSummaries"]
        if not any(each["StackName"] == _STACK and each["StackStatus"] != "DELETE_COMPLETE" for each in stacks):
            code, printed = self.deploy({}, "--yes")
            self.assertEqual(code, 0, printed)

    def write(self, template: str, samconfig: str) -> None:
        Path(self.folder, "template.yaml").write_text(template)
        Path(self.folder, "samconfig.toml").write_text(samconfig)

    @classmethod
    def run_in_a_terminal(cls, answers: dict[str, str], *arguments: str) -> tuple[int, str]:
        return answer(answers, *arguments, "--project", cls.folder, "--endpoint-url", cls.endpoint)

    @classmethod
    def deploy(cls, answers: dict[str, str], *options: str) -> tuple[int, str]:
        return cls.run_in_a_terminal(answers, "deploy", "--built", cls.folder, *options)

    @classmethod
    def destroy(cls, stack: str = _STACK) -> None:
        code, printed = cls.run_in_a_terminal({}, "destroy", "--yes", "--stack-name", stack)
        if code:
            raise AssertionError(printed)

    def test_declined_changes_are_not_reported_as_deployed(self) -> None:
        code, printed = self.deploy({_QUESTION: "n"}, "--parameter", "Seconds=30")

        self.assertEqual(code, 0, printed)
        self.assertIn(f"No changes: the stack {_STACK} is as before", printed)
        self.assertIn("QueueUrl", printed.rpartition("Outputs:")[2])
        self.assertNotIn("is deployed", printed)

    def test_a_deployment_without_changes_succeeds(self) -> None:
        code, printed = self.deploy({})

        self.assertEqual(code, 0, printed)
        self.assertIn(f"Stack {_STACK} is up to date", printed)
        self.assertIn(f"No changes: the stack {_STACK} is as before", printed)

    def deployed(self) -> dict[str, str]:
        """The parameters that the stack has."""
        stack = boto3.client("cloudformation").describe_stacks(StackName=_STACK)["Stacks"][0]
        return {each["ParameterKey"]: each["ParameterValue"] for each in stack["Parameters"]}

    def test_a_parameter_arrives_as_it_was_typed(self) -> None:
        typed = [word for name, value in _ODD.items() for word in ("--parameter", f"{name}={value}")]

        code, printed = self.deploy({}, "--yes", "--parameter", "Seconds=45", *typed)

        self.assertEqual(code, 0, printed)
        deployed = self.deployed()
        # The answer's XML parser converts a line break to one character.
        self.assertEqual({name: deployed[name] for name in _ODD}, {name: value.replace("\r\n", "\n") for name, value in _ODD.items()})

    def test_a_parameter_arrives_through_make_as_it_was_typed(self) -> None:
        values = {name: value for name, value in _ODD.items() if not any(map(str.isspace, value)) and len(value) < 1000}
        words = " ".join(f"{name}={value}" for name, value in values.items())
        command = ["make", "deploy", f"ENDPOINT_URL={self.endpoint}", f"PARAMETERS=Seconds=50 {words}",
                   f"ARGS=--yes --built {self.folder} --project {self.folder} --parameter 'Odd0=two  words'"]  # fmt: skip

        done = subprocess.run(command, cwd=REPOSITORY, env=without_endpoint(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=SECONDS, check=False)  # fmt: skip

        self.assertEqual(done.returncode, 0, done.stdout)
        deployed = self.deployed()
        self.assertEqual({name: deployed[name] for name in values}, {**values, "Odd0": "two  words"})

    def test_an_answer_that_the_guide_saves_wrong_is_named_and_the_outputs_are_printed(self) -> None:
        for value in ("a\\ b", "ends in \\"):
            with self.subTest(value=value):
                self.destroy()
                self.write(_TEMPLATE, _SAMCONFIG)

                code, printed = self.deploy({_QUESTION: "y"}, "--parameter", f"Odd1={value}")

                self.assertEqual(code, 1, printed)
                self.assertEqual(self.deployed()["Odd1"], value)
                self.assertIn("QueueUrl", printed.rpartition("Outputs:")[2])
                self.assertIn("SAM's guide has saved some of them wrong", printed)

    def test_the_guide_may_name_another_stack_and_the_next_deployment_finds_it(self) -> None:
        stack, usual = f"{_STACK}-answered", "twolane-dev"
        # The guide asks for all parameters, so these and the environment are Twolane's.
        template = (REPOSITORY / "template.yaml").read_text(encoding="utf-8").partition("\nGlobals:")[0] + _RESOURCES
        self.write(template, (REPOSITORY / "samconfig.toml").read_text(encoding="utf-8"))
        self.addCleanup(self.destroy, stack)
        parameters = Cloud().options()

        declined = self.deploy({"Stack Name": stack, "Save arguments": "n"}, *parameters)
        lost = self.deploy({"Stack Name": stack, "Save arguments": "n", _QUESTION: "y"}, *parameters)
        self.destroy(stack)
        found = self.deploy({"Stack Name": stack, _QUESTION: "y"}, *parameters)
        again = self.deploy({_QUESTION: "y"})

        for code, printed in (declined, lost):
            self.assertEqual(code, 0, printed)
            self.assertIn(f"the stack {usual} does not exist in us-east-1", printed)
        samconfig = Path(self.folder, "samconfig.toml").read_text()
        self.assertIn(f'stack_name = "{stack}"', samconfig)
        self.assertIn('KmsKeyArn=\\"\\"', samconfig)
        for code, printed in (found, again):
            self.assertEqual(code, 0, printed)
        self.assertIn(f"The stack {stack} is deployed", found[1])
        self.assertIn(f"make smoke STACK={stack} REGION=us-east-1", found[1])
        # SAM reads all answers as they were given.
        self.assertIn(f"No changes: the stack {stack} is as before", again[1])

    def test_accepted_changes_are_made(self) -> None:
        code, printed = self.deploy({_QUESTION: "y"}, "--parameter", "Seconds=20")

        self.assertEqual(code, 0, printed)
        self.assertIn(f"The stack {_STACK} is deployed", printed)

    def test_a_stack_that_failed_at_once_can_be_destroyed(self) -> None:
        self.destroy()
        broken = self.deploy({}, "--yes", "--parameter", "Broken=true")
        again = self.deploy({}, "--yes")

        code, printed = self.run_in_a_terminal({}, "destroy", "--yes")

        self.assertEqual((broken[0], again[0], code), (1, 1, 0), broken[1] + again[1] + printed)
        self.assertIn("in ROLLBACK_COMPLETE", again[1])
        self.assertEqual(self.deploy({}, "--yes")[0], 0)

    def test_temporary_files_are_in_the_project_and_removed(self) -> None:
        with tempfile.TemporaryDirectory() as elsewhere:
            os.utime(elsewhere, (0, 0))
            with mock.patch.dict(os.environ, {"TMPDIR": elsewhere}):
                code, printed = self.deploy({_QUESTION: "y"}, "--parameter", "Seconds=10")
                self.destroy()

            self.assertEqual(code, 0, printed)
            # No file was ever created in it.
            self.assertEqual((os.listdir(elsewhere), os.stat(elsewhere).st_mtime), ([], 0))
        self.assertEqual(list(Path(self.folder, ".local").iterdir()), [])
