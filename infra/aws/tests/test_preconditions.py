"""Checks before long or costly work: real processes, in shells that lack something."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from awscloud import deploy
from localcloud.environment import without_aws
from localcloud.failure import Failure
from localcloud.layout import REPOSITORY
from recorder import Recorder

# Invalid credentials: these tests send no requests.
_KEYS = {"AWS_ACCESS_KEY_ID": "AKIAREAL", "AWS_SECRET_ACCESS_KEY": "secret"}
_NO_FILES = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull, "AWS_EC2_METADATA_DISABLED": "true"}


def run(*arguments: str, **environment: str) -> tuple[int, str]:
    """Exit code and output of a command; the user has only these AWS settings."""
    command = [sys.executable, str(REPOSITORY / "infra" / "aws"), *arguments]
    done = subprocess.run(command, env={**without_aws(), **_NO_FILES, **environment}, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, check=False)  # fmt: skip
    return done.returncode, done.stdout + done.stderr


class Preconditions(unittest.TestCase):
    def assert_refused(self, expected: str, *arguments: str, **environment: str) -> str:
        for command in (arguments,) if arguments else (("deploy", "--yes"), ("page",), ("smoke", "--yes"), ("destroy", "--yes")):
            code, message = run(*command, **environment)
            self.assertEqual(code, 1, message)
            self.assertIn(expected, message)
            self.assertIn("  Do:   ", message)
            self.assertNotIn("Traceback", message)
        return message

    def test_no_region(self) -> None:
        self.assert_refused("No AWS region is set", **_KEYS)

    def test_no_credentials(self) -> None:
        self.assert_refused("No AWS credentials were found", AWS_REGION="eu-central-1")

    def test_no_such_profile(self) -> None:
        self.assert_refused("profile (nobody) could not be found", "deploy", "--yes", "--profile", "nobody")

    def test_a_shell_that_points_at_the_local_cloud(self) -> None:
        for variable in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_DYNAMODB"):
            message = self.assert_refused(
                "AWS tools are pointed at http://localhost:4566", AWS_REGION="us-east-1", **_KEYS, **{variable: "http://localhost:4566"}
            )
            self.assertIn("open a fresh shell", message)

    def test_a_profile_that_points_at_the_local_cloud(self) -> None:
        with tempfile.NamedTemporaryFile("w") as file:
            file.write("[default]\nregion = us-east-1\nendpoint_url = http://localhost:4566\n")
            file.flush()
            self.assert_refused("AWS tools are pointed at http://localhost:4566", **_KEYS, AWS_CONFIG_FILE=file.name)

    def test_an_endpoint_that_does_not_answer(self) -> None:
        self.assert_refused("AWS STS cannot be reached", "deploy", "--yes", "--endpoint-url", "http://127.0.0.1:9", AWS_REGION="us-east-1", **_KEYS)

    def test_no_terminal_to_ask_in(self) -> None:
        recorder = Recorder()
        self.addCleanup(recorder.close)
        for command in ("deploy", "smoke", "destroy"):
            self.assert_refused("add --yes", command, "--endpoint-url", recorder.url, AWS_REGION="us-east-1", **_KEYS)
        self.assertEqual(set(recorder.operations()), {"GetCallerIdentity"})

    def test_missing_credentials_are_reported_before_the_missing_terminal(self) -> None:
        for command in ("deploy", "smoke", "destroy"):
            self.assert_refused("No AWS region is set", command, **_KEYS)
            self.assert_refused("No AWS credentials were found", command, AWS_REGION="eu-central-1")

    def test_a_closed_output_prints_no_failure(self) -> None:
        reader, writer = os.pipe()
        os.close(reader)
        with open(writer, "w") as closed:
            command = [sys.executable, str(REPOSITORY / "infra" / "aws"), "deploy", "--yes"]
            done = subprocess.run(command, env={**without_aws(), **_NO_FILES}, stdout=closed, stderr=subprocess.PIPE, text=True, check=False)

        self.assertEqual((done.returncode, done.stderr), (128 + signal.SIGPIPE, ""))

    def test_an_environment_that_does_not_exist(self) -> None:
        self.assert_refused("name one of default, dev, prod", "deploy", "--yes", "--config-env", "test")
        self.assert_refused("it is the local cloud", "deploy", "--yes", "--config-env", "local")

    def test_a_parameter_that_could_not_reach_the_stack_is_refused_first(self) -> None:
        for parameter, message in (
            ("MaximumConcurency=5", "template.yaml has no parameter 'MaximumConcurency'. Did you mean MaximumConcurrency?"),
            ("WebAcl", "'WebAcl' is not a parameter: write NAME=VALUE"), ("=x", "'=x' is not a parameter"),
            ("Jwks=" + 2000 * "é" + 97 * "x", "parameter Jwks has 4097 bytes; the maximum of CloudFormation is 4096"),
            ("Jwks=a\x01b", "has the character U+0001"), ("Jwks=\udcff", "has the character U+DCFF"),
        ):  # fmt: skip
            with self.subTest(parameter=parameter[:20]):
                # Without a region or credentials.
                self.assert_refused(message, "deploy", "--yes", "--parameter", parameter)

    def test_a_parameter_of_samconfig_that_the_template_does_not_have_is_refused(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, "template.yaml").write_text("Parameters: {Architecture: {Type: String}}\n")
            Path(folder, "samconfig.toml").write_text('[dev.deploy.parameters]\nstack_name = "x"\nparameter_overrides = ["Architectur=arm64"]\n')

            self.assert_refused("Did you mean Architecture?", "deploy", "--yes", "--project", folder)

    def test_a_folder_without_write_permission_is_named_before_the_build(self) -> None:
        recorder = Recorder()
        self.addCleanup(recorder.close)
        for name in (".local", ".aws-sam"):
            with self.subTest(name), tempfile.TemporaryDirectory() as folder:
                Path(folder, "template.yaml").write_text("Parameters: {Architecture: {Type: String, Default: arm64}}\n")
                Path(folder, "samconfig.toml").write_text('[dev.deploy.parameters]\nstack_name = "x"\n')
                Path(folder, name).write_text("in the way")

                command = ("deploy", "--yes", "--project", folder, "--endpoint-url", recorder.url)
                message = self.assert_refused("cannot be written: ", *command, AWS_REGION="us-east-1", **_KEYS)

                self.assertIn(f"{Path(folder).name}/{name}", message)
                self.assertNotIn("Build", message.replace("Building the functions", ""))

    def test_the_guide_does_not_begin_if_its_answers_cannot_be_saved(self) -> None:
        with mock.patch.object(os, "access", return_value=False), self.assertRaisesRegex(Failure, "SAM's guide cannot save its answers"):
            deploy._refuse_answers_that_cannot_be_saved(Path("samconfig.toml"))

    def test_every_command_has_examples(self) -> None:
        for command in ("deploy", "page", "smoke", "destroy"):
            shown = subprocess.run([sys.executable, str(Path(REPOSITORY, "infra", "aws")), command, "--help"], capture_output=True, text=True, check=True)
            self.assertIn(f"  python3 infra/aws {command}", shown.stdout)
