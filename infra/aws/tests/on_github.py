"""The deployment steps of the GitHub Actions workflows, unchanged, on an emulator instead of AWS.

Runs like `on_a_stack`. A folder has the project and the artefacts of the job before, like a job. Only options of the commands and
parameters in samconfig.toml name the emulator.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path
from typing import Any

import boto3
import tomlkit
import yaml
from localcloud.layout import REPOSITORY, TOOLS_FOLDER, Project

from .cloud import SECONDS, Cloud, run, without_endpoint

_WORKFLOWS = REPOSITORY / ".github" / "workflows"
_STACK = "twolane-dev"
# They call every function. `on_a_stack` runs all tests that work on any stack.
_SOME = ("sync_lane", "async_lane", "bus_lane", "websocket", "payments", "stock")


def step(workflow: str, name: str) -> dict[str, Any]:
    """The step of a workflow with that name, which must be unique."""
    jobs = yaml.safe_load((_WORKFLOWS / workflow).read_text(encoding="utf-8"))["jobs"].values()
    (found,) = (each for job in jobs for each in job.get("steps", []) if each.get("name") == name)
    return found


class OnGitHub(unittest.TestCase):
    def setUp(self) -> None:
        self.cloud = Cloud()
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.checkout = Path(folder.name)
        shutil.copytree(REPOSITORY / "infra", self.checkout / "infra", ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(REPOSITORY / "template.yaml", self.checkout)
        (self.checkout / ".local").mkdir()
        (self.checkout / ".local" / "tools").symlink_to(TOOLS_FOLDER)
        samconfig = tomlkit.parse((REPOSITORY / "samconfig.toml").read_text(encoding="utf-8"))
        samconfig["dev"]["deploy"]["parameters"]["parameter_overrides"].extend(map(_in_samconfig, self.cloud.parameters()))
        (self.checkout / "samconfig.toml").write_text(tomlkit.dumps(samconfig), encoding="utf-8")

    def run_step(self, workflow: str, name: str, folder: Path, *more: str) -> tuple[int, str]:
        """Run it as a runner does; returns exit code and output. `more` are options of its `python3` commands."""
        found = step(workflow, name)
        environment = {variable: value.replace("${{ inputs.environment }}", "dev") for variable, value in found.get("env", {}).items()}
        script = f"python3() {{ command python3 \"$@\" {shlex.join(more)}; }}\n{found['run']}"
        done = subprocess.run(["bash", "-ec", script], cwd=folder, env={**without_endpoint(), **environment}, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=2 * SECONDS, check=False)  # fmt: skip
        return done.returncode, done.stdout

    def test_one_job_packs_another_deploys_and_a_third_tests(self) -> None:
        shutil.copytree(Project(REPOSITORY).build_folder, self.checkout / ".aws-sam" / "build")
        packed = self.run_step("ci.yml", "Pack", self.checkout)
        shutil.rmtree(self.checkout / ".aws-sam")
        unpacked = self.run_step("deploy.yml", "Unpack", self.checkout)
        self.assertEqual((packed[0], unpacked[0]), (0, 0), packed[1] + unpacked[1])
        self.addCleanup(run, "destroy", "--yes", "--delete-data", stack=_STACK)
        emulator = ("--endpoint-url", self.cloud.endpoint)
        users = self.cloud.users()

        # Every push to main deploys again.
        for _ in range(2):
            code, printed = self.run_step("deploy.yml", "Deploy", self.checkout, *emulator)
            self.assertEqual(code, 0, printed)
            self.assertIn(f"The stack {_STACK} is deployed", printed)
        # With the compiled tests: Cargo compiles again if the project is in another folder.
        code, printed = self.run_step("ci.yml", "Smoke", REPOSITORY, *emulator, *self.cloud.of_the_pool(), *_SOME)

        self.assertEqual(code, 0, printed)
        self.assertRegex(printed, r"\d+ tests passed, \d+ skipped")
        self.assertEqual(self.cloud.users(), users)


def _in_samconfig(parameter: str) -> str:
    """As SAM reads it there: a value with quotes must be in quotes."""
    name, _, value = parameter.partition("=")
    return f"{name}={json.dumps(value)}"
