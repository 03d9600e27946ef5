"""Commands in lanes, and what the tests' lanes are."""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

from localcloud import lanes, suites
from localcloud.lanes import Step
from localcloud.layout import LOCAL_FOLDER

# Ends once the other lane has made the file, or fails after a while.
_MEET = "import pathlib,sys,time; [time.sleep(0.05) for _ in range(200) if not pathlib.Path('met').exists()]; " \
    "sys.exit(not pathlib.Path('met').exists())"  # fmt: skip
_TIDY = "import signal,sys,time; signal.signal(signal.SIGINT, lambda *_: (open('tidied', 'w').close(), sys.exit())); " \
    "open('begun', 'w').close(); time.sleep(60)"  # fmt: skip


def python(name: str, code: str) -> Step:
    return Step(name, [sys.executable, "-c", code])


class Lanes(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder, self.said = Path(folder.name), []

    def run_lanes(self, **steps: list[Step]) -> list[str]:
        """The outcomes, without their times."""
        return [str(outcome).rpartition(",")[0] for outcome in lanes.run(steps, self.folder, self.said.append)]

    def test_run_side_by_side(self) -> None:
        outcomes = self.run_lanes(waits=[python("for it", _MEET)], comes=[python("late", "open('met', 'w')")])

        self.assertEqual(outcomes, ["waits: for it: ok", "comes: late: ok"])

    def test_each_line_says_whose_it_is(self) -> None:
        self.run_lanes(a=[python("talk", "print('one'); print('two', end='')")], long=[python("complain", "import sys; sys.exit('ouch')")])

        self.assertIn("a    | one\n", self.said)
        self.assertIn("a    | two\n", self.said)
        self.assertIn("long | ouch\n", self.said)

    def test_a_failure_ends_its_lane_alone_and_is_named(self) -> None:
        fails, fine = python("fails", "import sys; sys.exit(3)"), python("fine", "")

        outcomes = self.run_lanes(one=[fine, fails, fine], other=[fine, fine])

        self.assertEqual(
            outcomes,
            ["one: fine: ok", "one: fails: FAILED (exit code 3)", "one: fine: not begun", "other: fine: ok", "other: fine: ok"],
        )

    def test_a_step_killed_by_a_signal_has_failed(self) -> None:
        outcomes = self.run_lanes(one=[python("dies", "import os; os.kill(os.getpid(), 9)")])

        self.assertEqual(outcomes, ["one: dies: FAILED (exit code -9)"])

    def test_an_interruption_lets_the_steps_tidy_up_and_begins_no_other(self) -> None:
        steps = f"[Step('tidy', [sys.executable, '-c', {_TIDY!r}]), Step('next', ['touch', 'next'])]"
        program = "import sys, pathlib, signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
        program += f"from localcloud.lanes import Step, run; run({{'one': {steps}}}, pathlib.Path())"
        with subprocess.Popen(
            [sys.executable, "-c", program], cwd=self.folder, env={"PYTHONPATH": str(LOCAL_FOLDER)},
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        ) as process:  # fmt: skip
            while not (self.folder / "begun").exists():
                time.sleep(0.02)
            process.send_signal(signal.SIGINT)
            code = process.wait(30)

        self.assertNotEqual(code, 0)
        self.assertTrue((self.folder / "tidied").exists())
        self.assertFalse((self.folder / "next").exists())


class Suites(unittest.TestCase):
    def test_all_that_is_tested_is_compiled_before(self) -> None:
        compiled = suites.preparations()["build"][-1].command
        tested = suites.tests()["test"][0]

        # Nothing is chosen: libraries, binaries, tests, examples and documentation, as Cargo does by itself.
        command = list(tested.command)
        self.assertEqual([*command[command.index("cargo") :], "--no-run"], list(compiled))

    def test_the_local_cloud_s_own_tests_are_among_them(self) -> None:
        steps = [step for lane in suites.preparations().values() for step in lane]

        self.assertIn("selftest", [step.command[-1] for step in steps])
