"""What `destroy` deletes, in whose name, and what it says of the rest: real processes, SAM included, at a recording endpoint."""

from __future__ import annotations

import tempfile
import unittest
from pathlib import Path

from localcloud.layout import REPOSITORY

from .recorder import Recorder
from .test_preconditions import run

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

    def test_sam_acts_as_who_was_checked_whatever_the_shell_has(self) -> None:
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
