"""What `destroy` deletes, with which credentials, and what it prints: real processes, SAM included, at a recording endpoint."""

from __future__ import annotations

import tempfile
import unittest
from pathlib import Path

from awscloud import stack
from localcloud.layout import REPOSITORY
from recorder import TWOLANE, Recorder
from samcli.yamlhelper import yaml_parse
from test_preconditions import run

_PROFILES = """
[default]
aws_access_key_id = AKIADEFAULT
aws_secret_access_key = secret
[profile work]
aws_access_key_id = AKIAWORK
aws_secret_access_key = secret
aws_session_token = token
"""
_OTHERS_KEYS = {"AWS_ACCESS_KEY_ID": "AKIASHELL", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_SESSION_TOKEN": "of the shell"}


class Destroy(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.config = self.folder / "config"
        self.config.write_text(_PROFILES)

    def destroy(self, recorder: Recorder, *arguments: str, **environment: str) -> tuple[int, str]:
        self.addCleanup(recorder.close)
        command = ("destroy", "--yes", "--endpoint-url", recorder.url, "--region", "eu-central-1", *arguments)
        return run(*command, AWS_CONFIG_FILE=str(self.config), **environment)

    def test_sam_uses_the_checked_credentials_whatever_the_shell_has(self) -> None:
        for profile, environment, checked in (
            ("work", _OTHERS_KEYS, "AKIAWORK"),
            ("default", {"AWS_PROFILE": "work"}, "AKIADEFAULT"),
            (None, {"AWS_PROFILE": "work", **_OTHERS_KEYS}, "AKIASHELL"),
            (None, {"AWS_DEFAULT_PROFILE": "work"}, "AKIAWORK"),
        ):
            with self.subTest(profile=profile, environment=environment):
                recorder = Recorder()

                code, message = self.destroy(recorder, *(["--profile", profile] if profile else []), **environment)

                self.assertEqual(code, 0, message)
                self.assertEqual(recorder.signers("GetCallerIdentity"), {checked})
                self.assertEqual(recorder.signers("DeleteStack"), {checked})

    def test_a_failed_deletion_does_not_stop_the_others_and_is_printed_with_its_commands(self) -> None:
        lines = {"DeleteTable": "aws dynamodb delete-table --table-name physical-OrdersTable --region eu-central-1",
                 "DeleteUserPool": "aws cognito-idp delete-user-pool --user-pool-id physical-UserPool --region eu-central-1"}  # fmt: skip
        for refused, line in lines.items():
            with self.subTest(refused=refused):
                recorder = Recorder(refuses=(refused,))

                code, printed = self.destroy(recorder, "--delete-data", **_OTHERS_KEYS)

                self.assertEqual(code, 1, printed)
                self.assertLessEqual({"DeleteTable", "DeleteUserPool"}, set(recorder.operations()))
                self.assertIn("not you", printed)
                self.assertEqual([each for each in lines.values() if each in printed], [line])

    def test_a_stack_of_another_template_is_not_touched(self) -> None:
        recorder = Recorder(description="A shop")

        code, printed = self.destroy(recorder, "--delete-data", **_OTHERS_KEYS)

        self.assertEqual((code, set(recorder.operations())), (1, {"GetCallerIdentity", "DescribeStacks", "GetTemplateSummary"}), printed)
        self.assertIn("was not deployed from Twolane's template", printed)

    def test_a_stack_is_identified_by_the_templates_description(self) -> None:
        template = yaml_parse((REPOSITORY / "template.yaml").read_text())

        self.assertTrue(template["Description"].startswith(stack.OURS))
        self.assertEqual(TWOLANE, template["Description"])

    def test_a_profile_in_samconfig_is_refused(self) -> None:
        configuration = (REPOSITORY / "samconfig.toml").read_text()
        for section in ("[dev.deploy.parameters]\n", "[dev.global.parameters]\n", "[dev.delete.parameters]\n"):
            with self.subTest(section=section):
                own = f'{section}profile = "work"\n'
                changed = configuration.replace(section, own) if section in configuration else configuration + own
                (self.folder / "samconfig.toml").write_text(changed)
                recorder = Recorder()

                code, message = self.destroy(recorder, "--project", str(self.folder), "--profile", "default")

                self.assertEqual((code, recorder.asked), (1, []), message)
                self.assertIn("names the profile 'work'", message)
