"""When a tool set counts as installed, and which of the user's settings its installation sees."""

from __future__ import annotations

import os
import tempfile
import threading
import unittest
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from unittest import mock

from localcloud import pythons, tools


class Stamp(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        for name in ("TOOLS_FOLDER", "REQUIREMENTS_FOLDER"):
            patch = mock.patch.object(tools, name, self.root / name)
            patch.start()
            self.addCleanup(patch.stop)
        self.requirements = self.root / "REQUIREMENTS_FOLDER" / "sam.txt"
        self.requirements.parent.mkdir()
        self.requirements.write_text("sam==1\n")
        self.bin = tools.bin_folder("sam")
        self.bin.mkdir(parents=True)
        (self.bin / "sam").touch()
        self.stamp = self.bin.parent / "stamp"
        self.stamp.write_text(tools.stamp(self.requirements, pythons.Python.running()))

    def test_a_complete_set_is_installed(self) -> None:
        self.assertTrue(tools.is_installed("sam"))

    def test_a_set_without_its_stamp_is_half_installed(self) -> None:
        self.stamp.unlink()

        self.assertFalse(tools.is_installed("sam"))

    def test_a_set_that_lost_its_command_is_not_installed(self) -> None:
        (self.bin / "sam").unlink()

        self.assertFalse(tools.is_installed("sam"))

    def test_other_requirements_need_another_set(self) -> None:
        self.requirements.write_text("sam==2\n")

        self.assertFalse(tools.is_installed("sam"))

    def test_another_python_needs_another_set(self) -> None:
        with mock.patch.object(pythons.Python, "running", lambda: pythons.Python("python", (3, 99, 0), "/usr")):
            self.assertFalse(tools.is_installed("sam"))

    def test_another_version_of_a_crate_needs_another_set(self) -> None:
        with mock.patch.dict(tools._CRATES, {"sam": (tools.Crate("dynoxide-rs", "99.0.0"),)}):
            self.assertFalse(tools.is_installed("sam"))

    def test_a_second_command_waits_for_the_first_and_installs_nothing_again(self) -> None:
        self.stamp.unlink()
        begun, waiting, created = threading.Event(), threading.Event(), []

        def create(name: str, _found: pythons.Python) -> None:
            created.append(name)
            begun.set()
            waiting.wait(5)
            folder = tools.bin_folder(name)
            folder.mkdir(parents=True, exist_ok=True)
            (folder / name).touch()
            (folder.parent / "stamp").write_text(tools.stamp(self.requirements, pythons.Python.running()))

        (self.requirements.parent / "pip.txt").write_text("sam==1\n")
        with mock.patch.object(tools, "_create", create), ThreadPoolExecutor() as pool:
            first = pool.submit(tools.install_all, ("sam",), lambda _text: None)
            begun.wait(5)
            second = pool.submit(tools.install_all, ("sam",), lambda _text: waiting.set())
            first.result()
            second.result()

        self.assertEqual(created, ["pip", "sam"])

    def test_a_half_installed_set_is_removed_before_it_is_made_again(self) -> None:
        self.stamp.unlink()

        def run(*_arguments: object) -> None:
            self.bin.mkdir(parents=True, exist_ok=True)

        with mock.patch.object(tools, "_run", run):
            tools.install("sam", lambda _text: None)

        self.assertFalse((self.bin / "sam").exists())


class Installation(unittest.TestCase):
    def test_the_users_settings_only_choose_package_sources(self) -> None:
        kept = {"PIP_INDEX_URL": "https://mirror.example/simple", "PIP_CERT": "/ca.pem", "HTTPS_PROXY": "http://proxy.example:3128"}
        user = {**kept, "PIP_TARGET": "/elsewhere", "PIP_NO_BINARY": ":all:", "PIP_USER": "1", "PIP_REQUIRE_VIRTUALENV": "1", "PYTHONPATH": "/other"}
        with mock.patch.dict(os.environ, user, clear=True), tempfile.TemporaryDirectory() as folder:
            log = Path(folder, "log")

            tools._run(["env"], log, "look")

            seen = dict(line.split("=", 1) for line in log.read_text().splitlines())
        # The environment of `env`.
        self.assertEqual({name: value for name, value in seen.items() if name in {*user, "PIP_NO_INPUT"}},
                         {**kept, "PIP_USER": "0", "PIP_REQUIRE_VIRTUALENV": "0"})  # fmt: skip
