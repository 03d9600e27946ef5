"""Runs commands in lanes: one after the other in a lane, all lanes concurrently. Prints a table of all steps at the end."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

# Exit code. Source: POSIX, Shell Command Language, "Exit Status for Commands".
_CANNOT_RUN = 127
# `nice`'s default increment.
_LOW = 10


@dataclass(frozen=True)
class Step:
    """A command and its name."""

    name: str
    command: Sequence[str]
    # Whether it runs at a lower priority.
    gives_way: bool = False


@dataclass(frozen=True)
class Lane:
    """Steps that run one after the other, once every lane in `after` has passed. Those lanes are defined before this one."""

    steps: Sequence[Step]
    after: Sequence[str] = ()


@dataclass(frozen=True)
class Outcome:
    """The result of a step. Times are in seconds; `begun` counts from the start of the first lane."""

    lane: str
    step: str
    # Exit code; None if the step did not begin.
    code: int | None
    begun: float = 0.0
    seconds: float = 0.0
    # Processor time: far less than `seconds` means that it waited.
    processor: float = 0.0

    @property
    def result(self) -> str:
        return "not begun" if self.code is None else "ok" if self.code == 0 else f"FAILED ({self.code})"


def run(
    lanes: Mapping[str, Lane], folder: Path, environment: Mapping[str, str], say: Callable[[str], None] | None = None
) -> list[Outcome]:
    """Run all lanes, even if others fail. A lane ends at its first step that fails.

    Each line of output begins with the name of its lane. The table of steps comes last, also after a failure or an
    interruption. An interruption is passed on to the running steps, which then clean up.
    """
    runner = _Runner(folder, environment, max(map(len, lanes)), say or _print)
    try:
        with ThreadPoolExecutor(len(lanes)) as pool:
            under_way: dict[str, Future[list[Outcome]]] = {}
            for name, lane in lanes.items():
                before = [under_way[other] for other in lane.after]
                under_way[name] = pool.submit(runner.lane, name, lane.steps, before)
            try:
                return [outcome for each in under_way.values() for outcome in each.result()]
            except BaseException:
                runner.interrupt()
                raise
    finally:
        runner.print_table()


def table(outcomes: Sequence[Outcome]) -> list[str]:
    """A line for each step, in the order in which they began, and one for the total."""
    # An interruption may come before any step has ended.
    width = max((len(f"{each.lane}: {each.step}") for each in outcomes), default=len("step"))
    ordered = sorted(outcomes, key=lambda each: (each.code is None, each.begun))
    end = max((each.begun + each.seconds for each in outcomes), default=0)
    return [
        f"{'step':<{width}}  {'result':<12}  begun s  took s  processor s",
        *(f"{f'{each.lane}: {each.step}':<{width}}  {each.result:<12}  {_columns(each)}" for each in ordered),
        f"{'all':<{width}}  {'':<12}  {0:>7}  {end:>6.0f}  {sum(each.processor for each in outcomes):>11.0f}",
    ]


def _columns(outcome: Outcome) -> str:
    return "" if outcome.code is None else f"{outcome.begun:>7.0f}  {outcome.seconds:>6.0f}  {outcome.processor:>11.0f}"


def _print(line: str) -> None:
    sys.stdout.write(line)
    sys.stdout.flush()


def _lower_priority(session: int) -> None:
    """Lower the priority of a session leader, and of the processes that it starts.

    Linux may divide the processors among sessions first, by the priority of each. Source: sched(7), "The autogroup feature".
    If the system refuses, the process keeps its priority.
    """
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, session, _LOW)
    with contextlib.suppress(OSError):
        Path(f"/proc/{session}/autogroup").write_text(str(_LOW), encoding="utf-8")


class _Runner:
    def __init__(self, folder: Path, environment: Mapping[str, str], width: int, say: Callable[[str], None]) -> None:
        self._folder, self._environment, self._width, self._say = folder, environment, width, say
        self._started = time.monotonic()
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[str]] = set()
        self._outcomes: list[Outcome] = []
        self._interrupted = False

    def lane(self, name: str, steps: Sequence[Step], before: Sequence[Future[list[Outcome]]]) -> list[Outcome]:
        going = all(outcome.code == 0 for lane in before for outcome in lane.result())
        outcomes: list[Outcome] = []
        for step in steps:
            outcomes.append(self._step(name, step) if going else Outcome(name, step.name, None))
            going = outcomes[-1].code == 0
            with self._lock:
                self._outcomes.append(outcomes[-1])
        return outcomes

    def interrupt(self) -> None:
        with self._lock:
            self._interrupted = True
            for process in self._running:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGINT)

    def print_table(self) -> None:
        with self._lock:
            for line in ["", *table(self._outcomes)]:
                self._say(f"{line}\n")

    def _step(self, lane: str, step: Step) -> Outcome:
        begun = time.monotonic()
        with self._lock:
            if self._interrupted:
                return Outcome(lane, step.name, None)
            try:
                process = self._start(step)
            except OSError as error:
                self._write(lane, f"{step.name}: {error}\n")
                return Outcome(lane, step.name, _CANNOT_RUN, begun - self._started)
            self._running.add(process)
        assert process.stdout is not None, "stdout is a pipe"
        with process.stdout:
            for line in process.stdout:
                self._report(lane, line)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = code = os.waitstatus_to_exitcode(status)
        ended = time.monotonic()
        with self._lock:
            self._running.remove(process)
        outcome = Outcome(lane, step.name, code, begun - self._started, ended - begun, usage.ru_utime + usage.ru_stime)
        self._report(lane, f"{step.name}: {outcome.result}, {outcome.seconds:.0f} s\n")
        return outcome

    def _start(self, step: Step) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            step.command, cwd=self._folder, env=self._environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
            # So a step gets a Ctrl-C once, from this process, and not also from the terminal.
            start_new_session=True,
        )  # fmt: skip
        if step.gives_way:
            _lower_priority(process.pid)
        return process

    def _report(self, lane: str, line: str) -> None:
        with self._lock:
            self._write(lane, line)

    def _write(self, lane: str, line: str) -> None:
        self._say(f"{lane:<{self._width}} | {line if line.endswith(chr(10)) else line + chr(10)}")
