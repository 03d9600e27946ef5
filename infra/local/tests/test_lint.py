"""Faults that the template's linters must find."""

from __future__ import annotations

import os
import shutil
import tempfile
import unittest
from pathlib import Path
from unittest import mock

from localcloud.checks import lint
from localcloud.layout import REPOSITORY, Project

_FILES = ("template.yaml", "samconfig.toml", "infra/openapi.yaml", ".checkov.yaml")


class Findings(unittest.TestCase):
    """One run over a copy of the template with several things broken at once, because a run takes seconds."""

    complaints: dict[str, str]
    elsewhere: tuple[list[str], float]
    left: list[Path]

    @classmethod
    def setUpClass(cls) -> None:
        with tempfile.TemporaryDirectory() as folder:
            project = Project(Path(folder))
            for name in _FILES:
                (project.root / name).parent.mkdir(exist_ok=True)
                shutil.copy(REPOSITORY / name, project.root / name)
            _replace(project.template, "Resource: !GetAtt OrdersTable.Arn", "Resource: !GetAtt Nothing.Arn")
            _replace(project.template, "PointInTimeRecoveryEnabled: true", "PointInTimeRecoveryEnabled: false")
            _replace(project.template, "BlockPublicAcls: true", "BlockPublicAcls: false")
            _replace(project.template, "id: CKV_AWS_120, comment:", "id: CKV_AWS_120, remark:")
            elsewhere = project.root / "elsewhere"
            elsewhere.mkdir()
            os.utime(elsewhere, (0, 0))
            # Of the user's other programs: checkov exits on an unknown level.
            user = mock.patch.dict(os.environ, {"TMPDIR": str(elsewhere), "LOG_LEVEL": "trace"})
            # SAM's findings are the same in each environment.
            with user, mock.patch.object(lint, "_ENVIRONMENTS", lint._ENVIRONMENTS[:1]):
                verdicts = lint.lint(project)
            cls.elsewhere = (os.listdir(elsewhere), os.stat(elsewhere).st_mtime)
            cls.left = list((project.root / ".local").iterdir())
        cls.complaints = {verdict.linter: "\n".join(verdict.complaints) for verdict in verdicts}

    def test_a_name_that_does_not_exist_inside_a_function_is_found(self) -> None:
        self.assertIn("Nothing", self.complaints["cfn-lint on the expansion"])

    def test_a_broken_policy_is_found(self) -> None:
        self.assertIn("CKV_AWS_28 AWS::DynamoDB::Table.OrdersTable", self.complaints["checkov"])

    def test_a_broken_policy_behind_a_parameter_is_found(self) -> None:
        self.assertIn("CKV_AWS_53 AWS::S3::Bucket.PageBucket", self.complaints["checkov"])

    def test_a_skip_without_a_reason_is_found(self) -> None:
        self.assertRegex(self.complaints["checkov"], r"CKV_AWS_120 .*: skipped without a reason")

    def test_temporary_files_are_in_the_project_and_removed(self) -> None:
        # No file was ever created in it.
        self.assertEqual((self.elsewhere, self.left), (([], 0), []))

    def test_nothing_else_is_found(self) -> None:
        self.assertEqual(len(self.complaints["checkov"].splitlines()), 3, self.complaints["checkov"])


class Configuration(unittest.TestCase):
    def test_a_rule_skipped_everywhere_needs_a_reason(self) -> None:
        configuration = "skip-check:\n  - CKV_AWS_1 # because\n  - CKV2_AWS_2\n  - CKV_AWS_3 #\n"

        found = [complaint.split(":")[0] for complaint in lint._rules_without_a_reason(configuration)]

        self.assertEqual(found, ["CKV2_AWS_2", "CKV_AWS_3"])


def _replace(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text, f"{path.name} no longer has what this test breaks: {old}"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
