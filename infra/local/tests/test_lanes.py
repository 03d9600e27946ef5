"""Commands in lanes, and which tests are in which."""

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
from localcloud.layout import LOCAL_FOLDER, REPOSITORY

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
    def test_each_target_that_cargo_tests_by_default_is_in_one_lane(self) -> None:
        targets = suites._targets(REPOSITORY)

        chosen = [name for arguments in suites._selected(targets) for name in arguments if not name.startswith("--")]

        wanted = [
            target["name"] for target in targets if target["test"] and {"test", "example", "bench"} & set(target["kind"])
        ]
        self.assertEqual(sorted(chosen), sorted(wanted))
        self.assertLessEqual({"contract", "e2e", "faults", "privileges"}, set(chosen))

    def test_libraries_binaries_and_documentation_are_tested_too(self) -> None:
        every = [*suites.preparations(REPOSITORY).values(), *suites.lanes(REPOSITORY).values()]
        commands = " ".join(word for steps in every for step in steps for word in step.command)

        for argument in (" --lib ", " --bins ", " --doc", " selftest"):
            self.assertIn(argument, f" {commands} ")

    def test_all_that_is_tested_is_compiled_before(self) -> None:
        compiled = suites.preparations(REPOSITORY)["build"][-1].command

        self.assertLessEqual({name for arguments in suites._selected(suites._targets(REPOSITORY)) for name in arguments}, set(compiled))

    def test_what_has_a_stack_of_its_own_is_there(self) -> None:
        self.assertLessEqual(set(suites._APART), {target["name"] for target in suites._targets(REPOSITORY)})
