"""An endpoint on loopback with one stack, which records each operation with its signer."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import MappingProxyType
from typing import Any
from urllib.parse import parse_qs

TWOLANE = "Twolane: the same order down a sync, an async and a bus lane"
_TEMPLATE = {"Resources": {name: {"Type": kind, "DeletionPolicy": "Retain"} for name, kind in (
    ("OrdersTable", "AWS::DynamoDB::Table"), ("UserPool", "AWS::Cognito::UserPool"))}}  # fmt: skip


class Recorder:
    """CloudFormation, STS, and the stack's table and pool. Deletions named in `refuses` fail."""

    def __init__(self, description: str = TWOLANE, refuses: tuple[str, ...] = (), parameters: Mapping[str, str] = MappingProxyType({})) -> None:
        self.description, self.refuses, self.parameters = description, refuses, parameters
        self.asked: list[tuple[str, str]] = []
        recorder = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                target = self.headers.get("X-Amz-Target")
                operation = target.rpartition(".")[2] if target else parse_qs(body)["Action"][0]
                signer = re.search(r"Credential=([^/]+)/", self.headers.get("Authorization", ""))
                recorder.asked.append((operation, signer[1] if signer else "nobody"))
                status, answer = recorder._answer(operation)
                self.send_response(status)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer.encode())

            def log_message(self, format: str, *arguments: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def operations(self) -> list[str]:
        return [operation for operation, _ in self.asked]

    def signers(self, operation: str) -> set[str]:
        return {signer for each, signer in self.asked if each == operation}

    def _answer(self, operation: str) -> tuple[int, str]:
        if operation in self.refuses:
            return 400, json.dumps({"__type": "AccessDeniedException", "message": "not you"})
        if operation == "DescribeStacks" and "DeleteStack" in self.operations():
            return 400, "<ErrorResponse><Error><Code>ValidationError</Code><Message>Stack does not exist</Message></Error></ErrorResponse>"
        json_answers: dict[str, Any] = {
            "DescribeTable": {"Table": {"ItemCount": 3}},
            "DescribeUserPool": {"UserPool": {"EstimatedNumberOfUsers": 2}},
            "DeleteTable": {},
            "DeleteUserPool": {},
        }
        if operation == "DescribeTable" and "DeleteTable" in self.operations():
            return 400, json.dumps({"__type": "ResourceNotFoundException", "message": "gone"})
        if operation in json_answers:
            return 200, json.dumps(json_answers[operation])
        return 200, _xml(operation, self._results()[operation])

    def _results(self) -> dict[str, str]:
        stack = "<StackName>a-stack</StackName><StackStatus>CREATE_COMPLETE</StackStatus>"
        stack += "<EnableTerminationProtection>false</EnableTerminationProtection>"
        parameters = "".join(
            f"<member><ParameterKey>{name}</ParameterKey><ParameterValue>{value}</ParameterValue></member>" for name, value in self.parameters.items()
        )
        stack += f"<Parameters>{parameters}</Parameters>"
        resources = "".join(
            f"<member><LogicalResourceId>{name}</LogicalResourceId><ResourceType>{resource['Type']}</ResourceType>"
            f"<PhysicalResourceId>physical-{name}</PhysicalResourceId><ResourceStatus>CREATE_COMPLETE</ResourceStatus></member>"
            for name, resource in _TEMPLATE["Resources"].items()
        )
        return {
            "GetCallerIdentity": "<Account>111111111111</Account><Arn>arn:aws:iam::111111111111:user/me</Arn>",
            "DescribeStacks": f"<Stacks><member>{stack}<CreationTime>2026-01-01T00:00:00Z</CreationTime></member></Stacks>",
            "GetTemplateSummary": f"<Description>{self.description}</Description>",
            "GetTemplate": f"<TemplateBody>{json.dumps(_TEMPLATE)}</TemplateBody>",
            "ListStackResources": f"<StackResourceSummaries>{resources}</StackResourceSummaries>",
            "DeleteStack": "",
        }


def _xml(operation: str, result: str) -> str:
    return f"<{operation}Response><{operation}Result>{result}</{operation}Result></{operation}Response>"
