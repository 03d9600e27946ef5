"""An execution environment of LocalStack that runs a bootstrap."""

from __future__ import annotations

import os
import threading
import time

from localstack import config
from localstack.services.lambda_.invocation.lambda_models import FunctionVersion, InvocationResult
from localstack.services.lambda_.invocation.runtime_executor import RuntimeExecutor

from .bootstrap import Bootstrap, FunctionError
from .runtime_api import Invocation

# Inherited from LocalStack: where programs are, and the mark of processes that the local cloud must end.
_INHERITED = ("PATH", "TWOLANE_LOCAL_CLOUD")
_HOST = "127.0.0.1"


class ProcessRuntimeExecutor(RuntimeExecutor):
    """One execution environment, for one invocation at a time: LocalStack creates another for each concurrent invocation.

    Its bootstrap starts with the first invocation. After a timeout, a crash or a failed start, it starts again with the next
    invocation, like an environment that Lambda resets. An error of the start, with its logs, belongs to the invocation.
    """

    def __init__(self, id: str, function_version: FunctionVersion) -> None:  # noqa: A002  (the base class's name)
        super().__init__(id=id, function_version=function_version)
        self._environment: dict[str, str] = {}
        self._bootstrap: Bootstrap | None = None
        self._unreported = ""
        self._lock = threading.Lock()
        self._is_stopped = False

    def start(self, env_vars: dict[str, str]) -> None:
        """Store the environment variables for the bootstraps."""
        own = {name: os.environ[name] for name in _INHERITED if name in os.environ}
        given = {name: str(value) for name, value in env_vars.items() if value is not None}
        self._environment = {**own, **given}

    def stop(self) -> None:
        """End the bootstrap; an invocation under way fails."""
        with self._lock:
            self._is_stopped = True
            if self._bootstrap is not None:
                self._bootstrap.end()

    def invoke(self, payload: dict[str, str]) -> InvocationResult:
        """Run one invocation."""
        request_id, started = payload["invoke-id"], time.monotonic()
        timeout = float(self.function_version.config.timeout)
        answer: bytes
        try:
            bootstrap = self._ready_bootstrap(request_id)
            invocation = Invocation(
                request_id=request_id,
                function_arn=payload["invoked-function-arn"],
                event=payload["payload"].encode(),
                trace_id=payload.get("trace-id") or "",
                deadline_ms=int((time.time() + timeout) * 1000),
            )
            answered = bootstrap.invoke(invocation, timeout)
            answer, is_error, reset = answered.payload, answered.is_error, False
        except FunctionError as error:
            answer, is_error, reset = error.payload, True, True
        logs = self._logs(request_id, (time.monotonic() - started) * 1000, answer if reset else b"")
        if reset:
            with self._lock:
                self._end()
        return InvocationResult(request_id, answer, is_error=is_error, logs=logs)

    def get_logs(self) -> str:
        """The output of bootstraps that no invocation has reported yet."""
        with self._lock:
            self._keep_log()
            logs, self._unreported = self._unreported, ""
            return logs

    def get_address(self) -> str:
        """The address of the function."""
        return _HOST

    def get_endpoint_from_executor(self) -> str:
        """The address of LocalStack for the function."""
        return _HOST

    def get_runtime_endpoint(self) -> str:
        """The address for reports of LocalStack's init; a bootstrap uses its Runtime API instead."""
        return f"http://{_HOST}:{config.GATEWAY_LISTEN[0].port}"

    @classmethod
    def prepare_version(cls, function_version: FunctionVersion) -> None:
        """Unpack the code."""
        runtime = function_version.config.runtime or "a container image"
        if not runtime.startswith("provided"):
            raise ValueError(f"{runtime} needs a container: only functions of provided.* runtimes run as processes")
        if function_version.config.code:
            function_version.config.code.prepare_for_execution()

    @classmethod
    def cleanup_version(cls, function_version: FunctionVersion) -> None:
        """Do nothing: LocalStack removes the unpacked code with the archive."""

    def _ready_bootstrap(self, request_id: str) -> Bootstrap:
        with self._lock:
            if self._bootstrap is not None and self._bootstrap.has_exited:
                self._end()
            if self._is_stopped:
                raise FunctionError.of("Runtime.ExitError", request_id, "The execution environment is shutting down")
            if self._bootstrap is None:
                code = self.function_version.config.code.get_unzipped_code_location()
                self._bootstrap = Bootstrap(code, self._environment, request_id)
            bootstrap = self._bootstrap
        bootstrap.wait_until_ready(request_id)
        return bootstrap

    def _end(self) -> None:
        if self._bootstrap is not None:
            self._bootstrap.end()
            self._keep_log()
            self._bootstrap = None

    def _keep_log(self) -> None:
        if self._bootstrap is not None:
            self._unreported += self._bootstrap.take_log()

    def _logs(self, request_id: str, duration_ms: float, error: bytes) -> str:
        """The log in Lambda's format: the function's output between START, END and REPORT lines."""
        own = self.get_logs()
        lines = [
            f"START RequestId: {request_id} Version: {self.function_version.id.qualifier}",
            *([own.rstrip("\n")] if own else []),
            *([error.decode(errors="replace")] if error else []),
            f"END RequestId: {request_id}",
            f"REPORT RequestId: {request_id}\tDuration: {duration_ms:.2f} ms",
        ]
        return "\n".join(lines) + "\n"
