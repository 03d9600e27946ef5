"""One bootstrap: its process, its Runtime API, its log. It starts once and takes one invocation after the other."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import queue
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from .runtime_api import Answered, InitFailed, Invocation, Ready, Report, RuntimeApi

# Lambda's limit for a start. Lambda then tries once more, within the function's timeout; this does not. Source: AWS
# Lambda Developer Guide, "Understanding the Lambda execution environment lifecycle", init phase.
INIT_SECONDS = 10.0


@dataclass(frozen=True)
class _Exited:
    """The process has ended."""

    code: int


class FunctionError(Exception):
    """The function gave no answer. `payload` is Lambda's error instead."""

    def __init__(self, payload: bytes) -> None:
        super().__init__(payload.decode(errors="replace"))
        self.payload = payload

    @classmethod
    def of(cls, kind: str, request_id: str, message: str) -> FunctionError:
        """An error in Lambda's format."""
        return cls(json.dumps({"errorType": kind, "errorMessage": f"RequestId: {request_id} Error: {message}"}).encode())


class Bootstrap:
    """A process of the function's `bootstrap`."""

    def __init__(self, code: Path, environment: Mapping[str, str], request_id: str) -> None:
        """Start the process; `request_id` is the invocation that causes the start."""
        self._reports: queue.SimpleQueue[Report | _Exited] = queue.SimpleQueue()
        # Not a pipe, so that output from before an answer is available with it. Deleted with this object.
        self._log = tempfile.TemporaryFile()
        # On the file itself, because the process shares it; Python's mode "a" would not do that.
        fcntl.fcntl(self._log, fcntl.F_SETFL, fcntl.fcntl(self._log, fcntl.F_GETFL) | os.O_APPEND)
        self._api = RuntimeApi(self._reports.put)
        self._is_ready = self._has_exited = self._is_ended = False
        try:
            self._process = subprocess.Popen(
                [str(code / "bootstrap")], cwd=code, stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log,
                env={**environment, "AWS_LAMBDA_RUNTIME_API": self._api.address, "LAMBDA_TASK_ROOT": str(code)},
                # A separate process group, to end all processes that it starts.
                start_new_session=True,
            )  # fmt: skip
        except OSError as error:
            self._api.close()
            self._log.close()
            raise FunctionError.of("Runtime.InvalidEntrypoint", request_id, f"Cannot run bootstrap: {error}") from error
        threading.Thread(target=self._wait, daemon=True, name="lambda-bootstrap").start()

    @property
    def has_exited(self) -> bool:
        """Whether it takes no more invocations."""
        return self._has_exited

    def wait_until_ready(self, request_id: str) -> None:
        """Wait until it asks for its first event; raises `FunctionError` if it does not."""
        if self._is_ready:
            return
        match self._next_report(time.monotonic() + INIT_SECONDS):
            case Ready():
                self._is_ready = True
            case InitFailed(error):
                raise FunctionError(error)
            case _Exited(code):
                raise FunctionError.of("Runtime.ExitError", request_id, _exit_message(code))
            case None:
                raise _timed_out(request_id, INIT_SECONDS)

    def invoke(self, invocation: Invocation, seconds: float) -> Answered:
        """The answer to an event; a `FunctionError` when the process ends or the time is up first."""
        deadline = time.monotonic() + seconds
        self._api.hand_out(invocation)
        while True:
            match self._next_report(deadline):
                case Answered(request_id=request_id) as answered if request_id == invocation.request_id:
                    return answered
                case _Exited(code):
                    raise FunctionError.of("Runtime.ExitError", invocation.request_id, _exit_message(code))
                case None:
                    raise _timed_out(invocation.request_id, seconds)
                # Ignore a request for the next event, and a late answer to an earlier one.

    def take_log(self) -> str:
        """The output since the last call."""
        self._log.seek(0)
        written = self._log.read()
        # The process appends, so its next output is at the start.
        self._log.truncate(0)
        return written.decode(errors="replace")

    def end(self) -> None:
        """Kill it with all processes that it started. Lambda does not wait either when it resets a function."""
        if self._is_ended:
            return
        self._is_ended = True
        # The process is reaped only after this, so no other process can have its id.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._api.close()

    def _wait(self) -> None:
        ended = os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOWAIT)
        self._has_exited = True
        self._reports.put(_Exited(ended.si_status if ended.si_code == os.CLD_EXITED else -ended.si_status))

    def _next_report(self, deadline: float) -> Report | _Exited | None:
        """Its next report; None if there is none before the deadline."""
        try:
            return self._reports.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            return None


def _timed_out(request_id: str, seconds: float) -> FunctionError:
    return FunctionError.of("Sandbox.Timedout", request_id, f"Task timed out after {seconds:.2f} seconds")


def _exit_message(code: int) -> str:
    if code == 0:
        return "Runtime exited without providing a reason"
    how = f"signal: {(signal.strsignal(-code) or str(-code)).lower()}" if code < 0 else f"exit status {code}"
    return f"Runtime exited with error: {how}"
