"""The Lambda Runtime API over HTTP: what a bootstrap asks, and what it answers.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

_PREFIX = "/2018-06-01/runtime/"


@dataclass(frozen=True)
class Invocation:
    """One event for the function."""

    request_id: str
    function_arn: str
    event: bytes
    trace_id: str
    deadline_ms: int


@dataclass(frozen=True)
class Ready:
    """The bootstrap asks for its first event."""


@dataclass(frozen=True)
class InitFailed:
    """The bootstrap says that it cannot start."""

    error: bytes


@dataclass(frozen=True)
class Answered:
    """The function's answer to an invocation, or its error."""

    request_id: str
    payload: bytes
    is_error: bool


Said = Ready | InitFailed | Answered


class RuntimeApi:
    """The Runtime API of one bootstrap, on a loopback port of its own; `hear` is told all that it says."""

    def __init__(self, hear: Callable[[Said], None]) -> None:
        self._invocations: queue.SimpleQueue[Invocation | None] = queue.SimpleQueue()
        self._hear = hear
        self._server = _Server(("127.0.0.1", 0), self)
        # What `close` waits for at most, in seconds.
        poll = {"poll_interval": 0.05}
        threading.Thread(target=self._server.serve_forever, kwargs=poll, daemon=True, name="lambda-runtime-api").start()

    @property
    def address(self) -> str:
        """As AWS_LAMBDA_RUNTIME_API has it."""
        host, port = self._server.server_address[:2]
        return f"{host}:{port}"

    def hand_out(self, invocation: Invocation) -> None:
        """The next event that the bootstrap is given."""
        self._invocations.put(invocation)

    def close(self) -> None:
        """End it; who still waits for an event is sent away."""
        self._invocations.put(None)
        self._server.shutdown()
        self._server.server_close()

    def next(self) -> Invocation | None:
        """What the bootstrap waits for; None when there will be nothing any more."""
        self._hear(Ready())
        return self._invocations.get()

    def hear(self, said: Said) -> None:
        """What the bootstrap says."""
        self._hear(said)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address: tuple[str, int], api: RuntimeApi) -> None:
        super().__init__(address, _Handler)
        self.api = api

    def handle_error(self, *_: object) -> None:
        """A bootstrap that is killed breaks its connections off; whoever killed it knows."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    # Answers leave in one segment each: waiting for acknowledgements would cost 40 ms an invocation.
    wbufsize = -1
    disable_nagle_algorithm = True

    def do_GET(self) -> None:  # noqa: N802  (the base class's name)
        """`invocation/next`."""
        if self.path != _PREFIX + "invocation/next":
            return self._refuse(404, "NotFound")
        invocation = self.server.api.next()
        if invocation is None:
            self.close_connection = True
            return None
        headers = {
            "Lambda-Runtime-Aws-Request-Id": invocation.request_id,
            "Lambda-Runtime-Deadline-Ms": str(invocation.deadline_ms),
            "Lambda-Runtime-Invoked-Function-Arn": invocation.function_arn,
            "Lambda-Runtime-Trace-Id": invocation.trace_id,
        }
        return self._answer(200, invocation.event, headers)

    def do_POST(self) -> None:  # noqa: N802
        """`init/error`, `invocation/ID/response`, `invocation/ID/error`."""
        body = self._body()
        match self.path.removeprefix(_PREFIX).split("/"):
            case ["init", "error"]:
                said: Said = InitFailed(body)
            case ["invocation", request_id, ("response" | "error") as kind]:
                said = Answered(request_id, body, kind == "error")
            case _:
                return self._refuse(404, "NotFound")
        self._answer(202, b'{"status":"OK"}')
        # First the answer: whoever hears of it may end the bootstrap.
        self.wfile.flush()
        return self.server.api.hear(said)

    def log_message(self, *_: object) -> None:
        """What the function says is in its own log."""

    def _body(self) -> bytes:
        if "chunked" not in self.headers.get("Transfer-Encoding", "").lower():
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        parts = []
        # Each chunk has its size in hexadecimal before it, perhaps with extensions, and a line's end behind it.
        while size := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        return b"".join(parts)

    def _refuse(self, status: int, error: str) -> None:
        self._answer(status, json.dumps({"errorType": error, "errorMessage": f"{self.command} {self.path}"}).encode())

    def _answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {**(headers or {}), "Content-Type": "application/json", "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
