"""LocalStack for tests: a real process on a free loopback port, and functions with real bootstraps in it."""

from __future__ import annotations

import io
import json
import os
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any
from unittest import mock

import botocore.config
import botocore.session
from localcloud.emulators import LOCALSTACK, lifecycle
from localcloud.environment import ACCOUNT, REGION, endpoint
from localcloud.layout import Instance
from tests.eventually import eventually

# Settings of a user of real AWS; none may be used.
USER = {"AWS_PROFILE": "production", "AWS_SESSION_TOKEN": "secret-session", "AWS_ACCESS_KEY_ID": "AKIAREAL"}


class LocalStackProcess:
    """LocalStack core as the local cloud starts it."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="twolane-localstack-")
        self.instance = Instance(Path(self._folder.name).resolve() / "instance")
        self.home = self.instance.folder.parent / "home"
        self._clients: dict[str, Any] = {}
        self.port = lifecycle.free_port()
        self.home.mkdir()
        with mock.patch.dict(os.environ, {**USER, "HOME": str(self.home)}):
            lifecycle.start(LOCALSTACK, self.instance, self.port)

    def stop(self) -> None:
        """Stop it with all processes that it started."""
        lifecycle.stop(self.instance)
        self._folder.cleanup()

    def log(self) -> str:
        """Its output so far."""
        return self.instance.emulator_log.read_text(errors="replace")

    def client(self, service: str) -> Any:
        """A botocore client without retries, so that tests see an error at once; created once for each service."""
        if service not in self._clients:
            config = botocore.config.Config(
                retries={"total_max_attempts": 1}, proxies={}, max_pool_connections=20, read_timeout=60
            )
            self._clients[service] = botocore.session.get_session().create_client(
                service, region_name=REGION, endpoint_url=endpoint(self.port), aws_access_key_id="test",
                aws_secret_access_key="test", config=config,
            )  # fmt: skip
        return self._clients[service]

    def function(self, name: str, bootstrap: str, **configuration: Any) -> Function:
        """A new `provided.al2023` function with that bootstrap, ready to be invoked; none if the text is empty."""
        source = io.BytesIO()
        with zipfile.ZipFile(source, "w") as archive:
            entry = zipfile.ZipInfo("bootstrap" if bootstrap else "README")
            entry.external_attr = 0o755 << 16
            archive.writestr(entry, bootstrap)
        client = self.client("lambda")
        client.create_function(**{
            "FunctionName": name, "Runtime": "provided.al2023", "Handler": "bootstrap", "Timeout": 10,
            "Role": f"arn:aws:iam::{ACCOUNT}:role/functions", "Code": {"ZipFile": source.getvalue()}, **configuration,
        })  # fmt: skip
        eventually(lambda: client.get_function(FunctionName=name)["Configuration"]["State"], lambda state: state != "Pending")
        return Function(self, name)


class Function:
    """A function of LocalStack."""

    def __init__(self, server: LocalStackProcess, name: str) -> None:
        self._server, self.name = server, name

    def invoke(self, event: Any = None) -> Any:
        """Its answer; raises `InvocationError` if it fails."""
        answer = self._server.client("lambda").invoke(FunctionName=self.name, Payload=json.dumps(event))
        payload = json.loads(answer["Payload"].read())
        if "FunctionError" in answer:
            raise InvocationError(payload)
        return payload

    def error(self, event: Any = None) -> dict[str, str]:
        """Lambda's error of an invocation that must fail."""
        try:
            answer = self.invoke(event)
        except InvocationError as error:
            return error.args[0]
        raise AssertionError(f"It answered {answer!r}")

    def state(self) -> dict[str, str]:
        """Its configuration from Lambda."""
        return self._server.client("lambda").get_function(FunctionName=self.name)["Configuration"]

    def delete(self) -> None:
        """Remove it."""
        self._server.client("lambda").delete_function(FunctionName=self.name)

    def logged(self, group: str | None = None) -> list[str]:
        """All lines of its log group."""
        client, group = self._server.client("logs"), group or f"/aws/lambda/{self.name}"
        try:
            streams = client.describe_log_streams(logGroupName=group)["logStreams"]
        except client.exceptions.ResourceNotFoundException:
            return []
        pages = [client.get_log_events(logGroupName=group, logStreamName=each["logStreamName"]) for each in streams]
        return [event["message"].rstrip("\n") for page in pages for event in page["events"]]


class InvocationError(Exception):
    """A function failed; the argument is its error, or Lambda's."""


def bootstrap(handler: str, init: str = "pass") -> str:
    """A bootstrap in Python: `init` runs once, `handler` is the body of `handle(event, headers)`.

    It keeps its connection open, as the Rust runtime does, and sends its answers in chunks.
    """
    indented = "\n    ".join(handler.splitlines())
    return _BOOTSTRAP.replace("PYTHON", sys.executable).replace("HANDLER", indented).replace("INIT", init)


_BOOTSTRAP = '''#!PYTHON
import http.client, json, os, signal, subprocess, sys, threading, time
api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
def call(method, path, body=None):
    api.request(method, "/2018-06-01/runtime/" + path, body)
    answer = api.getresponse()
    return answer.headers, answer.read()
INIT
def handle(event, headers):
    HANDLER
while True:
    headers, event = call("GET", "invocation/next")
    request = "invocation/" + headers["Lambda-Runtime-Aws-Request-Id"]
    try:
        where, answer = "/response", handle(json.loads(event), headers)
    except Exception as error:
        where, answer = "/error", {"errorType": type(error).__name__, "errorMessage": str(error)}
    text = json.dumps(answer).encode()
    call("POST", request + where, iter([text[:3], text[3:]]))
'''
