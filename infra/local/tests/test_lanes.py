"""Commands in lanes, and the lanes of the tests."""

from __future__ import annotations

import contextlib
import io
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path
from unittest import mock

from localcloud import lanes
from localcloud.checks import suites
from localcloud.commands import Target
from localcloud.lanes import Lane, Outcome, Step
from localcloud.layout import LOCAL_FOLDER, REPOSITORY, Instance, Project

# Ends when the other lane has created the file, or fails after a timeout.
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

    def run_lanes(self, **wanted: Lane) -> list[tuple[str, str, str]]:
        """Lane, step and result of each."""
        outcomes = lanes.run(wanted, self.folder, os.environ, self.said.append)
        return [(outcome.lane, outcome.step, outcome.result) for outcome in outcomes]

    def table(self) -> list[str]:
        """The table, without its times."""
        begin = self.said.index("\n")
        return [re.sub(r" +", " ", re.sub(r"  +[\d ]+\n$", "", line)).strip() for line in self.said[begin + 1 :]]

    def test_run_concurrently(self) -> None:
        outcomes = self.run_lanes(waits=Lane([python("for it", _MEET)]), comes=Lane([python("late", "open('met', 'w')")]))

        self.assertEqual(outcomes, [("waits", "for it", "ok"), ("comes", "late", "ok")])

    def test_each_line_begins_with_its_lane(self) -> None:
        self.run_lanes(
            a=Lane([python("talk", "print('one'); print('two', end='')")]), long=Lane([python("complain", "import sys; sys.exit('ouch')")])
        )

        self.assertIn("a    | one\n", self.said)
        self.assertIn("a    | two\n", self.said)
        self.assertIn("long | ouch\n", self.said)

    def test_a_failure_ends_only_its_lane_and_is_named(self) -> None:
        fails, fine = python("fails", "import sys; sys.exit(3)"), python("fine", "")

        outcomes = self.run_lanes(one=Lane([fine, fails, fine]), other=Lane([fine, fine]))

        self.assertEqual(
            outcomes,
            [("one", "fine", "ok"), ("one", "fails", "FAILED (3)"), ("one", "fine", "not begun"), ("other", "fine", "ok"), ("other", "fine", "ok")],
        )

    def test_a_lane_begins_when_those_before_it_have_passed(self) -> None:
        needs_it = python("needs it", "import sys,pathlib; sys.exit(not pathlib.Path('made').exists())")
        makes_it = python("makes it", "import time; time.sleep(0.3); open('made', 'w')")

        outcomes = self.run_lanes(first=Lane([makes_it]), then=Lane([needs_it], after=["first"]))

        self.assertEqual(outcomes, [("first", "makes it", "ok"), ("then", "needs it", "ok")])

    def test_a_lane_does_not_begin_when_one_before_it_has_failed(self) -> None:
        fine, fails = python("fine", ""), python("fails", "import sys; sys.exit(3)")

        outcomes = self.run_lanes(fine=Lane([fine]), fails=Lane([fails]), then=Lane([fine], after=["fine", "fails"]))

        self.assertEqual(outcomes, [("fine", "fine", "ok"), ("fails", "fails", "FAILED (3)"), ("then", "fine", "not begun")])

    def test_a_step_that_gives_way_has_a_low_priority_with_all_that_it_starts(self) -> None:
        # Its priority is lowered once it runs.
        lowered = "import os,time; end=time.monotonic()+10\nwhile os.getpriority(0,0)<10 and time.monotonic()<end: time.sleep(0.01)\n"
        shown = "import subprocess; subprocess.run(['nice'])"

        behind = Step("prints", [sys.executable, "-c", lowered + shown], gives_way=True)
        self.run_lanes(usual=Lane([python("prints", shown)]), behind=Lane([behind]))

        usual = os.getpriority(os.PRIO_PROCESS, 0)
        self.assertIn(f"usual  | {usual}\n", self.said)
        self.assertIn("behind | 10\n", self.said)

    def test_a_step_runs_even_if_the_system_refuses_to_lower_its_priority(self) -> None:
        with mock.patch.object(os, "setpriority", side_effect=PermissionError):
            outcomes = self.run_lanes(one=Lane([Step("runs", [sys.executable, "-c", "open('ran', 'w')"], gives_way=True)]))

        self.assertEqual(outcomes, [("one", "runs", "ok")])
        self.assertTrue((self.folder / "ran").exists())

    def test_a_missing_command_has_failed(self) -> None:
        self.assertEqual(self.run_lanes(one=Lane([Step("cargo", ["/nowhere/cargo"])])), [("one", "cargo", "FAILED (127)")])

    def test_a_step_killed_by_a_signal_has_failed(self) -> None:
        outcomes = self.run_lanes(one=Lane([python("dies", "import os; os.kill(os.getpid(), 9)")]))

        self.assertEqual(outcomes, [("one", "dies", "FAILED (-9)")])

    def test_a_table_of_all_steps_comes_last_also_after_a_failure(self) -> None:
        first, fails, fine = python("first", ""), python("fails", "import sys; sys.exit(3)"), python("fine", "")

        self.run_lanes(one=Lane([first, fails, fine]), two=Lane([fine], after=["one"]))

        self.assertEqual(
            self.table(),
            ["step result begun s took s processor s", "one: first ok", "one: fails FAILED (3)", "one: fine not begun", "two: fine not begun", "all"],
        )

    def test_the_table_shows_waiting_and_work_separately(self) -> None:
        waits = Outcome("a", "waits", 0, 0.2, 9.6, 0.4)
        works = Outcome("b", "works", 0, 3.0, 4.0, 7.0)

        self.assertEqual(
            lanes.table([waits, works, Outcome("b", "next", None)]),
            [
                "step      result        begun s  took s  processor s",
                "a: waits  ok                  0      10            0",
                "b: works  ok                  3       4            7",
                "b: next   not begun     ",
                "all                           0      10            7",
            ],
        )

    def test_the_table_of_no_steps_has_its_first_and_last_line(self) -> None:
        self.assertEqual([line.split()[0] for line in lanes.table([])], ["step", "all"])

    def test_an_interruption_lets_the_steps_clean_up_begins_no_others_and_prints_the_table(self) -> None:
        steps = f"[Step('tidy', [sys.executable, '-c', {_TIDY!r}]), Step('next', ['touch', 'next'])]"
        program = "import os, sys, pathlib, signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
        program += f"from localcloud.lanes import Lane, Step, run; run({{'one': Lane({steps})}}, pathlib.Path(), os.environ)"
        with subprocess.Popen(
            [sys.executable, "-c", program], cwd=self.folder, env={"PYTHONPATH": str(LOCAL_FOLDER)},
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        ) as process:  # fmt: skip
            while not (self.folder / "begun").exists():
                time.sleep(0.02)
            process.send_signal(signal.SIGINT)
            printed, _ = process.communicate(timeout=120)

        self.assertNotEqual(process.returncode, 0)
        self.assertTrue((self.folder / "tidied").exists())
        self.assertFalse((self.folder / "next").exists())
        self.assertRegex(printed, r"(?s)one: tidy +ok .*one: next +not begun")


class Suites(unittest.TestCase):
    def test_no_step_sees_the_user_s_aws_settings(self) -> None:
        user = {"AWS_PROFILE": "production", "TWOLANE_TOKEN": "secret", "SAM_CLI_POLL_DELAY": "60", "EDITOR": "vi"}
        target = Target(Project(REPOSITORY), Instance(REPOSITORY / ".local"), None)

        with mock.patch.dict(os.environ, user), contextlib.redirect_stdout(io.StringIO()) as printed:
            suites.in_lanes(target, {"one": Lane([Step("variables", ["env"])])})

        shown = [name for name in user if f"one | {name}=" in printed.getvalue()]
        self.assertEqual(shown, ["EDITOR"])

    def test_all_that_is_checked_is_part_of_the_tests(self) -> None:
        steps = [step for lane in suites.lanes_of_tests([]).values() for step in lane.steps]

        for lane in suites.lanes_of_check().values():
            for step in lane.steps:
                self.assertIn(step, steps)

    def test_the_local_cloud_s_tests_are_among_them(self) -> None:
        steps = [step for lane in suites.lanes_of_tests([]).values() for step in lane.steps]

        self.assertIn("selftest", [step.command[-1] for step in steps])

    def test_every_suite_of_the_workspace_is_run_a_new_one_too(self) -> None:
        there_are = [*suites.suites_of(REPOSITORY), "brand-new"]
        words = [word for lane in suites.lanes_of_tests(there_are).values() for step in lane.steps for word in step.command]

        run = {name for option, name in zip(words, words[1:]) if option == "--test"}

        self.assertEqual(run, set(there_are))

    def test_libraries_binaries_and_documentation_are_tested(self) -> None:
        commands = [step.command for lane in suites.lanes_of_tests([]).values() for step in lane.steps if "test" in step.command]

        for option in ("--lib", "--bins", "--doc"):
            self.assertTrue(any(option in command for command in commands), option)
