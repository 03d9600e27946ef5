"""The Lambda Runtime API over HTTP, as a bootstrap uses it.

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
    """The bootstrap reports that it cannot start."""

    error: bytes


@dataclass(frozen=True)
class Answered:
    """The function's answer to an invocation, or its error."""

    request_id: str
    payload: bytes
    is_error: bool


Report = Ready | InitFailed | Answered


class RuntimeApi:
    """The Runtime API of one bootstrap, on a separate loopback port. Calls `on_report` with each report of the bootstrap."""

    def __init__(self, on_report: Callable[[Report], None]) -> None:
        self._invocations: queue.SimpleQueue[Invocation | None] = queue.SimpleQueue()
        self._on_report = on_report
        self._server = _Server(("127.0.0.1", 0), self)
        # Maximum wait of `close`, in seconds.
        poll = {"poll_interval": 0.05}
        threading.Thread(target=self._server.serve_forever, kwargs=poll, daemon=True, name="lambda-runtime-api").start()

    @property
    def address(self) -> str:
        """The value of AWS_LAMBDA_RUNTIME_API: `host:port`."""
        host, port = self._server.server_address[:2]
        return f"{host}:{port}"

    def hand_out(self, invocation: Invocation) -> None:
        """Give the bootstrap its next event."""
        self._invocations.put(invocation)

    def close(self) -> None:
        """Stop the server; a bootstrap that waits for an event gets none."""
        self._invocations.put(None)
        self._server.shutdown()
        self._server.server_close()

    def next(self) -> Invocation | None:
        """Wait for the next event for the bootstrap; None after `close`."""
        self._on_report(Ready())
        return self._invocations.get()

    def report(self, report: Report) -> None:
        """Pass on a report of the bootstrap."""
        self._on_report(report)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address: tuple[str, int], api: RuntimeApi) -> None:
        super().__init__(address, _Handler)
        self.api = api

    def handle_error(self, *_: object) -> None:
        """Ignore broken connections of a bootstrap that was killed."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    # One segment per answer: waiting for acknowledgements would cost 40 ms per invocation.
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
                report: Report = InitFailed(body)
            case ["invocation", request_id, ("response" | "error") as kind]:
                report = Answered(request_id, body, kind == "error")
            case _:
                return self._refuse(404, "NotFound")
        self._answer(202, b'{"status":"OK"}')
        # Answer first: the receiver of the report may end the bootstrap.
        self.wfile.flush()
        return self.server.api.report(report)

    def log_message(self, *_: object) -> None:
        """Do not log requests: the function has a log."""

    def _body(self) -> bytes:
        if "chunked" not in self.headers.get("Transfer-Encoding", "").lower():
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        parts = []
        # A chunk: its size in hexadecimal, with optional extensions, then the data and a line break.
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
