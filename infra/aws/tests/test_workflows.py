"""The workflows of GitHub Actions: programs are pinned, permissions are minimal, commands exist."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tempfile
import unittest
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from localcloud.checks import workflows
from localcloud.layout import REPOSITORY

_FOLDER = REPOSITORY / ".github" / "workflows"
# Unchecked programs of the runner.
_OF_THE_RUNNER = {"rustup", "mkdir", "tar"}


def documents() -> Iterator[tuple[str, dict[str, Any]]]:
    """The workflows by file name."""
    for path in sorted(_FOLDER.glob("*.yml")):
        yield path.name, yaml.safe_load(path.read_text(encoding="utf-8"))


def steps() -> Iterator[dict[str, Any]]:
    """All steps of all jobs."""
    for _, document in documents():
        for job in document["jobs"].values():
            yield from job.get("steps", [])


def commands() -> Iterator[list[str]]:
    """The words of all `run:` steps."""
    for step in steps():
        for line in step.get("run", "").splitlines():
            for command in line.split("&&"):
                yield shlex.split(command)


class Workflows(unittest.TestCase):
    def test_every_action_is_pinned_by_its_commit_and_says_its_version(self) -> None:
        lines = [line for path in _FOLDER.glob("*.yml") for line in path.read_text(encoding="utf-8").splitlines() if "uses:" in line]

        self.assertGreater(len(lines), 5)
        for line in lines:
            self.assertRegex(line, r"uses: (\./\.github/workflows/[\w-]+\.yml$|[\w-]+/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$)")

    def test_an_action_has_one_version_throughout(self) -> None:
        used = {step["uses"] for step in steps() if "uses" in step}

        self.assertEqual(len(used), len({each.partition("@")[0] for each in used}))

    def test_rust_has_one_exact_version_throughout_that_the_workspace_takes(self) -> None:
        installed = [command for command in commands() if command[0] == "rustup"]
        versions = {command[{"toolchain": 3, "default": 2}[command[1]]] for command in installed}
        (minimum,) = re.findall(r'^rust-version = "(.+)"$', (REPOSITORY / "Cargo.toml").read_text(encoding="utf-8"), re.MULTILINE)

        self.assertEqual(len(versions), 1, versions)
        (version,) = versions
        self.assertRegex(version, r"^\d+\.\d+\.\d+$")
        self.assertGreaterEqual(*(tuple(map(int, each.split("."))) for each in (version, minimum)))

    def test_jobs_have_only_the_permissions_that_they_request(self) -> None:
        for name, document in documents():
            self.assertEqual(document["permissions"], {}, name)
            for job in document["jobs"].values():
                allowed = job["permissions"]
                self.assertLessEqual(set(allowed), {"contents", "id-token"}, name)
                self.assertEqual(allowed["contents"], "read", name)

    def test_a_job_that_may_assume_a_role_of_aws_has_an_environment(self) -> None:
        for name, document in documents():
            for key, job in document["jobs"].items():
                if "id-token" in job["permissions"] and "steps" in job:
                    self.assertIn("environment", job, f"{name}: {key}")

    def test_no_job_of_prod_compiles(self) -> None:
        for job in yaml.safe_load((_FOLDER / "deploy.yml").read_text(encoding="utf-8"))["jobs"].values():
            runs = " ".join(step.get("run", "") for step in job["steps"])
            self.assertNotRegex(runs, r"cargo|rustup|make|smoke")

    def test_there_are_no_keys(self) -> None:
        for path in _FOLDER.glob("*.yml"):
            self.assertNotIn("secrets.", path.read_text(encoding="utf-8"))

    def test_no_expression_is_put_into_a_script(self) -> None:
        for step in steps():
            self.assertNotIn("${{", step.get("run", ""))

    def test_every_command_exists(self) -> None:
        checked = 0
        for command in commands():
            if command[0] == "make":
                done = subprocess.run([*command, "--dry-run"], cwd=REPOSITORY, capture_output=True, text=True, check=False)
            elif command[0] == "python3":
                done = subprocess.run([sys.executable, *command[1:], "--help"], cwd=REPOSITORY, capture_output=True, text=True, check=False)
            else:
                self.assertIn(command[0], _OF_THE_RUNNER)
                continue
            checked += 1
            self.assertEqual(done.returncode, 0, f"{command}: {done.stderr}")
        self.assertGreater(checked, 3)

    def test_the_archive_is_unpacked_where_deploy_looks_for_it(self) -> None:
        pack, unpack = (next(step["run"] for step in steps() if step.get("name") == name) for name in ("Pack", "Unpack"))
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            function = root / ".aws-sam" / "build" / "CreateOrderFunction" / "bootstrap"
            function.parent.mkdir(parents=True)
            function.write_text("#!/bin/sh\n")
            function.chmod(0o755)
            subprocess.run(["bash", "-ec", pack], cwd=root, check=True)
            subprocess.run(["rm", "-r", str(root / ".aws-sam")], check=True)

            subprocess.run(["bash", "-ec", unpack], cwd=root, check=True)

            self.assertTrue(os.access(function, os.X_OK))


class Actionlint(unittest.TestCase):
    def test_a_mistake_is_found_and_the_workflows_have_none(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            (root / ".github" / "workflows").mkdir(parents=True)
            ci = (_FOLDER / "ci.yml").read_text(encoding="utf-8")
            broken = root / ".github" / "workflows" / "ci.yml"

            broken.write_text(re.sub("needs: test", "needs: tset", ci, count=1))
            found = "\n".join(workflows.actionlint(root, lambda _text: None, {}))
            broken.write_text(ci.replace("vars.DEPLOY_TO_AWS", "varz.DEPLOY_TO_AWS"))
            found += "\n".join(workflows.actionlint(root, lambda _text: None, {}))

        self.assertIn('needs job "tset"', found)
        self.assertIn('undefined variable "varz"', found)
        self.assertEqual(workflows.actionlint(REPOSITORY, lambda _text: None, {}), [])
