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

from .runtime_api import Answered, InitFailed, Invocation, Ready, RuntimeApi, Said

# Time that Lambda gives a function to start; it then tries once more, within the function's timeout, which is not done
# here. Source: AWS Lambda Developer Guide, "Understanding the Lambda execution environment lifecycle", init phase.
INIT_SECONDS = 10.0


@dataclass(frozen=True)
class _Exited:
    """The process is gone."""

    code: int


class FunctionError(Exception):
    """The function gave no answer; what Lambda says in its place."""

    def __init__(self, payload: bytes) -> None:
        super().__init__(payload.decode(errors="replace"))
        self.payload = payload

    @classmethod
    def of(cls, kind: str, request_id: str, message: str) -> FunctionError:
        """An error of Lambda's own making."""
        return cls(json.dumps({"errorType": kind, "errorMessage": f"RequestId: {request_id} Error: {message}"}).encode())


class Bootstrap:
    """A process of the function's `bootstrap`."""

    def __init__(self, code: Path, environment: Mapping[str, str], request_id: str) -> None:
        """Start it; `request_id` is the invocation that has it started."""
        self._heard: queue.SimpleQueue[Said | _Exited] = queue.SimpleQueue()
        # Not a pipe: what was written before an answer is there when the answer is. It goes with this object.
        self._log = tempfile.TemporaryFile()
        # Python's "a" is not this: the file is shared with the process.
        fcntl.fcntl(self._log, fcntl.F_SETFL, fcntl.fcntl(self._log, fcntl.F_GETFL) | os.O_APPEND)
        self._api = RuntimeApi(self._heard.put)
        self._is_ready = self._has_exited = self._is_ended = False
        try:
            self._process = subprocess.Popen(
                [str(code / "bootstrap")], cwd=code, stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log,
                env={**environment, "AWS_LAMBDA_RUNTIME_API": self._api.address, "LAMBDA_TASK_ROOT": str(code)},
                # A group of its own, to be ended with whatever it starts.
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
        """Until it asks for its first event; a `FunctionError` when it does not come to that."""
        if self._is_ready:
            return
        match self._hear(time.monotonic() + INIT_SECONDS):
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
            match self._hear(deadline):
                case Answered(request_id=request_id) as answered if request_id == invocation.request_id:
                    return answered
                case _Exited(code):
                    raise FunctionError.of("Runtime.ExitError", invocation.request_id, _exit_message(code))
                case None:
                    raise _timed_out(invocation.request_id, seconds)
                # It asks for its next event, or answers one that nobody waits for.

    def take_log(self) -> str:
        """What it wrote since this was last asked."""
        self._log.seek(0)
        written = self._log.read()
        # It appends: what it writes from now on is at the start.
        self._log.truncate(0)
        return written.decode(errors="replace")

    def end(self) -> None:
        """Kill it with all that it started. Lambda, too, gives a function no time when it is reset."""
        if self._is_ended:
            return
        self._is_ended = True
        # It is not waited for before: until then no other process can have its id.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._api.close()

    def _wait(self) -> None:
        ended = os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOWAIT)
        self._has_exited = True
        self._heard.put(_Exited(ended.si_status if ended.si_code == os.CLD_EXITED else -ended.si_status))

    def _hear(self, deadline: float) -> Said | _Exited | None:
        """What it says next; None when it says nothing in time."""
        try:
            return self._heard.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            return None


def _timed_out(request_id: str, seconds: float) -> FunctionError:
    return FunctionError.of("Sandbox.Timedout", request_id, f"Task timed out after {seconds:.2f} seconds")


def _exit_message(code: int) -> str:
    if code == 0:
        return "Runtime exited without providing a reason"
    how = f"signal: {(signal.strsignal(-code) or str(-code)).lower()}" if code < 0 else f"exit status {code}"
    return f"Runtime exited with error: {how}"
