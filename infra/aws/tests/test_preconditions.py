"""What is said before anything long or costly begins: real processes, in shells that lack something."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from localcloud.environment import without_aws
from localcloud.layout import REPOSITORY
from recorder import Recorder

# Of a user whose credentials nobody takes; nothing is sent anywhere in these tests.
_KEYS = {"AWS_ACCESS_KEY_ID": "AKIAREAL", "AWS_SECRET_ACCESS_KEY": "secret"}
_NO_FILES = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull, "AWS_EC2_METADATA_DISABLED": "true"}


def run(*arguments: str, **environment: str) -> tuple[int, str]:
    """Exit code and all that a command printed; the user has no AWS settings but these."""
    command = [sys.executable, str(REPOSITORY / "infra" / "aws"), *arguments]
    done = subprocess.run(command, env={**without_aws(), **_NO_FILES, **environment}, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, check=False)  # fmt: skip
    return done.returncode, done.stdout + done.stderr


class Preconditions(unittest.TestCase):
    def assert_refused(self, told: str, *arguments: str, **environment: str) -> str:
        for command in (arguments,) if arguments else (("deploy", "--yes"), ("smoke", "--yes"), ("destroy", "--yes")):
            code, message = run(*command, **environment)
            self.assertEqual(code, 1, message)
            self.assertIn(told, message)
            self.assertIn("  Do:   ", message)
            self.assertNotIn("Traceback", message)
        return message

    def test_no_region(self) -> None:
        self.assert_refused("No AWS region is set", **_KEYS)

    def test_no_credentials(self) -> None:
        self.assert_refused("There are no AWS credentials", AWS_REGION="eu-central-1")

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
        self.assert_refused("AWS cannot be asked who you are", "deploy", "--yes", "--endpoint-url", "http://127.0.0.1:9", AWS_REGION="us-east-1", **_KEYS)

    def test_nobody_to_ask(self) -> None:
        recorder = Recorder()
        self.addCleanup(recorder.close)
        for command in ("deploy", "smoke", "destroy"):
            self.assert_refused("add --yes", command, "--endpoint-url", recorder.url, AWS_REGION="us-east-1", **_KEYS)
        self.assertEqual(set(recorder.operations()), {"GetCallerIdentity"})

    def test_what_is_missing_is_told_before_there_is_nobody_to_ask(self) -> None:
        for command in ("deploy", "smoke", "destroy"):
            self.assert_refused("No AWS region is set", command, **_KEYS)
            self.assert_refused("There are no AWS credentials", command, AWS_REGION="eu-central-1")

    def test_a_reader_that_has_gone_is_no_failure_to_tell_of(self) -> None:
        reader, writer = os.pipe()
        os.close(reader)
        with open(writer, "w") as nobody:
            command = [sys.executable, str(REPOSITORY / "infra" / "aws"), "deploy", "--yes"]
            done = subprocess.run(command, env={**without_aws(), **_NO_FILES}, stdout=nobody, stderr=subprocess.PIPE, text=True, check=False)

        self.assertEqual((done.returncode, done.stderr), (128 + signal.SIGPIPE, ""))

    def test_an_environment_that_does_not_exist(self) -> None:
        self.assert_refused("name one of default, dev, prod", "deploy", "--yes", "--config-env", "test")
        self.assert_refused("that is the local cloud", "deploy", "--yes", "--config-env", "local")

    def test_every_command_has_examples(self) -> None:
        for command in ("deploy", "smoke", "destroy"):
            shown = subprocess.run([sys.executable, str(Path(REPOSITORY, "infra", "aws")), command, "--help"], capture_output=True, text=True, check=True)
            self.assertIn(f"  python3 infra/aws {command}", shown.stdout)
