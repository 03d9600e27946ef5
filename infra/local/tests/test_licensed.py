"""LocalStack's licensed image, as far as it goes without Docker: what is missing is told, and what was started is ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import unittest
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from unittest import mock

from localcloud.emulators import LICENSED
from localcloud.failure import Failure
from localcloud.layout import LOCAL_FOLDER, Instance
from localcloud.processes import end, identify, wait_until

# Stands for Docker, which is not there where this is tested: it fails where it is told to, and writes down what it was asked.
# Its container ends by itself, or, where it is told so, not before it is taken down, and is there while its file is.
_DOCKER = """#!/bin/sh
echo "$@" >> "$ASKED"
[ "$*" = "$FAILS" ] && { echo "cannot do that" >&2; exit 1; }
case "$*" in
*" up "*)
  [ "$ENDS" = late ] && trap "" TERM || trap "exit 0" TERM
  touch "$CONTAINER"
  while [ -e "$CONTAINER" ]; do sleep 0.05; done;;
*" down "*) rm -f "$CONTAINER";;
esac
exit 0
"""


class Licensed(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.asked = self.folder / "asked"
        self.container = self.folder / "container"
        docker = self.folder / "docker"
        docker.write_text(_DOCKER)
        docker.chmod(0o755)

    def environment(self, **more: str) -> dict[str, str]:
        path = os.pathsep.join([str(self.folder), "/usr/bin", "/bin"])
        return {"PATH": path, "ASKED": str(self.asked), "CONTAINER": str(self.container), "LOCALSTACK_AUTH_TOKEN": "ls-token", **more}

    def refusal(self, **more: str) -> str:
        """What is said in such an environment."""
        with mock.patch.dict(os.environ, self.environment(**more), clear=True), self.assertRaises(Failure) as refused:
            LICENSED.check()
        return str(refused.exception)

    def test_what_is_missing_is_told_with_what_to_do(self) -> None:
        self.assertIn("Docker is not installed", self.refusal(PATH="/nowhere"))
        self.assertIn("Docker has no compose plugin: `docker compose version` says 'cannot do that'", self.refusal(FAILS="compose version"))
        self.assertIn("Docker does not answer", self.refusal(FAILS="info"))
        self.assertIn("LOCALSTACK_AUTH_TOKEN is not set", self.refusal(LOCALSTACK_AUTH_TOKEN=""))
        for more in ({"PATH": "/nowhere"}, {"LOCALSTACK_AUTH_TOKEN": ""}):
            self.assertIn("  Do:   ", self.refusal(**more))

    def test_nothing_is_missing(self) -> None:
        with mock.patch.dict(os.environ, self.environment(), clear=True):
            LICENSED.check()

    def launch(self, **more: str) -> subprocess.Popen[bytes]:
        """The launcher, as the local cloud starts it, once its container is there."""
        environment = self.environment(**LICENSED.settings(Instance(self.folder), 4577), **more)
        process = subprocess.Popen([sys.executable, str(LICENSED.launcher)], env=environment, start_new_session=True)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        self.assertTrue(wait_until(self.container.exists, 10))
        return process

    def test_the_launcher_takes_down_what_it_started(self) -> None:
        process = self.launch()

        process.send_signal(signal.SIGTERM)

        self.assertEqual(process.wait(10), 0)
        compose = f"compose --file {LOCAL_FOLDER / 'compose.yaml'}"
        asked = [f"{compose} up --abort-on-container-exit --timeout 3", f"{compose} down --timeout 3"]
        self.assertEqual(self.asked.read_text().splitlines(), asked)

    def test_a_container_that_ends_late_does_not_outlive_the_launcher(self) -> None:
        process = self.launch(ENDS="late")

        # As `down` of the local cloud, which waits no longer than it does for any emulator.
        with ThreadPoolExecutor(1) as pool:
            reaped = pool.submit(process.wait)
            end(list, identify(process.pid))
            reaped.result()

        self.assertFalse(self.container.exists())

    def test_two_instances_are_two_projects(self) -> None:
        names = {LICENSED.settings(Instance(self.folder / each), 1)["TWOLANE_INSTANCE"] for each in ("one", "other")}

        self.assertEqual(len(names), 2)
