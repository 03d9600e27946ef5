"""Commands in lanes: one after the other within a lane, the lanes side by side, each line with its lane's name."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Step:
    """A command with what it is called."""

    name: str
    command: Sequence[str]


@dataclass(frozen=True)
class Outcome:
    """How a step ended: its exit code, or None when it was not begun."""

    lane: str
    step: str
    code: int | None
    seconds: float = 0.0

    def __str__(self) -> str:
        how = "not begun" if self.code is None else "ok" if self.code == 0 else f"FAILED (exit code {self.code})"
        return f"{self.lane}: {self.step}: {how}, {self.seconds:.0f} s"


def run(lanes: Mapping[str, Sequence[Step]], folder: Path, say: Callable[[str], None] | None = None) -> list[Outcome]:
    """Run all lanes to their ends, whatever becomes of the others; a lane ends at its first step that fails.

    When this is interrupted, so are the steps under way, and they get the time to put things in order.
    """
    runner = _Runner(folder, max(map(len, lanes)), say or _print)
    with ThreadPoolExecutor(len(lanes)) as pool:
        under_way = [pool.submit(runner.lane, name, steps) for name, steps in lanes.items()]
        try:
            return [outcome for lane in under_way for outcome in lane.result()]
        except BaseException:
            runner.interrupt()
            raise


def _print(line: str) -> None:
    sys.stdout.write(line)
    sys.stdout.flush()


class _Runner:
    def __init__(self, folder: Path, width: int, say: Callable[[str], None]) -> None:
        self._folder, self._width, self._say = folder, width, say
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[str]] = set()
        self._interrupted = False

    def lane(self, name: str, steps: Sequence[Step]) -> list[Outcome]:
        outcomes: list[Outcome] = []
        for step in steps:
            begun = all(outcome.code == 0 for outcome in outcomes)
            outcomes.append(self._step(name, step) if begun else Outcome(name, step.name, None))
        return outcomes

    def interrupt(self) -> None:
        with self._lock:
            self._interrupted = True
            for process in self._running:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGINT)

    def _step(self, lane: str, step: Step) -> Outcome:
        started = time.monotonic()
        with self._lock:
            if self._interrupted:
                return Outcome(lane, step.name, None)
            process = subprocess.Popen(
                step.command, cwd=self._folder, stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
                # A Ctrl-C of the terminal comes to them once, from here.
                start_new_session=True,
            )  # fmt: skip
            self._running.add(process)
        assert process.stdout is not None, "stdout is a pipe"
        with process.stdout:
            for line in process.stdout:
                self._tell(lane, line)
        code = process.wait()
        with self._lock:
            self._running.remove(process)
        outcome = Outcome(lane, step.name, code, time.monotonic() - started)
        self._tell(lane, f"{outcome}\n")
        return outcome

    def _tell(self, lane: str, line: str) -> None:
        with self._lock:
            self._say(f"{lane:<{self._width}} | {line if line.endswith(chr(10)) else line + chr(10)}")
