"""Emulators for tests: real processes on free loopback ports, over real HTTP."""

from __future__ import annotations

import http.client
import io
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import zipfile
from typing import Any

import botocore.config
import botocore.session
from eventually import eventually
from localcloud.emulators import MINISTACK, lifecycle
from localcloud.environment import REGION, aws_settings, of_the_machine


class Server:
    """A MiniStack, stock or with its gaps closed."""

    def __init__(self, command: list[str]) -> None:
        self._clients: dict[str, Any] = {}
        self._role: str | None = None
        self.port = lifecycle.free_port()
        self.endpoint = f"http://localhost:{self.port}"
        self._folder = tempfile.TemporaryDirectory(prefix="twolane-test-")
        self._log = open(os.path.join(self._folder.name, "log"), "wb")  # noqa: SIM115  (closed in `stop`)
        self._process = subprocess.Popen(
            [sys.executable, *command],
            env={
                **of_the_machine(), **aws_settings(self.port), "GATEWAY_PORT": str(self.port), "BIND_HOST": "127.0.0.1",
                "AUTH": "true", "IOT_MTLS_ENABLED": "0", "TMPDIR": self._folder.name,
                "STATE_DIR": os.path.join(self._folder.name, "state"),
            },
            cwd=self._folder.name, stdout=self._log, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip

    @classmethod
    def stock(cls) -> Server:
        """MiniStack without changes."""
        return cls(["-m", "ministack"])

    @classmethod
    def patched(cls) -> Server:
        """MiniStack as the local cloud starts it."""
        return cls([str(MINISTACK.launcher)])

    def wait_ready(self) -> None:
        """Wait until it answers; if it has ended, fail with its log."""
        eventually(lambda: self._process.poll() is not None or MINISTACK.is_healthy(self.port), bool, seconds=30)
        if self._process.poll() is not None:
            raise AssertionError(f"The server ended:\n{self.log()}")

    def log(self) -> str:
        """Its output so far."""
        with open(self._log.name, encoding="utf-8", errors="replace") as log:
            return log.read()

    def stop(self) -> None:
        """End it and the functions it started: they share its process group."""
        emulator_group = self._process.pid
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        try:
            os.killpg(emulator_group, 9)
        except ProcessLookupError:
            pass
        self._log.close()
        self._folder.cleanup()

    def client(self, service: str) -> Any:
        """A botocore client without retries, so that tests see an error at once; created once for each service."""
        if service not in self._clients:
            self._clients[service] = self._new_client(service)
        return self._clients[service]

    def _new_client(self, service: str, key: str = "test", secret: str = "test", token: str | None = None) -> Any:
        return botocore.session.get_session().create_client(
            service, region_name=REGION, endpoint_url=self.endpoint,
            aws_access_key_id=key, aws_secret_access_key=secret, aws_session_token=token,
            config=botocore.config.Config(retries={"total_max_attempts": 1}, proxies={}),
        )  # fmt: skip

    def client_of_user(self, service: str, *actions: str) -> Any:
        """A client of a new user with only that permission."""
        iam, name = self.client("iam"), f"user-{time.monotonic_ns()}"
        iam.create_user(UserName=name)
        statement = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        iam.put_user_policy(UserName=name, PolicyName="own", PolicyDocument=document)
        key = iam.create_access_key(UserName=name)["AccessKey"]
        return self._new_client(service, key["AccessKeyId"], key["SecretAccessKey"])

    def client_of_role(self, service: str, *actions: str) -> tuple[Any, str]:
        """A client with the credentials of a new role with only that permission, and the role's ARN."""
        iam, name = self.client("iam"), f"role-{time.monotonic_ns()}"
        trust = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
        trusted = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=trusted)["Role"]["Arn"]
        statement = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=document)
        session = self.client("sts").assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
        return self._new_client(service, session["AccessKeyId"], session["SecretAccessKey"], session["SessionToken"]), role

    def call(self, api_id: str, method: str, path: str, body: bytes = b"", **headers: str) -> Answer:
        """One request to the stage `test` of a REST API; `content_type=…` becomes `content-type: …`."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, f"/_aws/execute-api/{api_id}/test{path}", body, sent)
        response = connection.getresponse()
        answer = Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, response.read())
        connection.close()
        return answer

    def websocket(self, api_id: str, *texts: str, offer: str = "") -> bytes:
        """Open a WebSocket to the stage `test`, offering that subprotocol, send the texts, close; the handshake's answer."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=10) as connection:
            path = f"/_aws/execute-api/{api_id}/test"
            offered = f"Sec-WebSocket-Protocol: {offer}\r\n" if offer else ""
            connection.sendall(
                f"GET {path} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n{offered}"
                "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
            )
            answered = connection.recv(4096)
            first_line = answered.split(b"\r\n")[0]
            if b" 101 " not in first_line + b" ":
                raise AssertionError(first_line)
            for opcode, payload in [*((1, text.encode()) for text in texts), (8, b"\x03\xe8")]:
                # A client masks its frames; a mask of zeros changes nothing.
                connection.sendall(bytes([0x80 | opcode, 0x80 | len(payload), 0, 0, 0, 0]) + payload)
            while connection.recv(4096):
                pass
        return answered

    def deploy(self, template: dict[str, Any], stack: str) -> dict[str, str]:
        """Create or update a stack; returns its outputs."""
        client = self.client("cloudformation")
        arguments = {"StackName": stack, "TemplateBody": json.dumps(template), "Capabilities": ["CAPABILITY_AUTO_EXPAND"]}
        known = [each["StackName"] for each in client.list_stacks()["StackSummaries"] if "DELETE" not in each["StackStatus"]]
        (client.update_stack if stack in known else client.create_stack)(**arguments)
        described = eventually(
            lambda: client.describe_stacks(StackName=stack)["Stacks"][0],
            lambda found: not found["StackStatus"].endswith("_IN_PROGRESS"),
        )
        if described["StackStatus"] not in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
            events = client.describe_stack_events(StackName=stack)["StackEvents"]
            raise AssertionError([each.get("ResourceStatusReason") for each in events])
        return {each["OutputKey"]: each["OutputValue"] for each in described.get("Outputs", [])}

    def queue(self, name: str, **attributes: str) -> tuple[str, str]:
        """URL and ARN of a new queue."""
        client = self.client("sqs")
        url = client.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
        return url, client.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]

    def open_to_topic(self, url: str, queue: str, topic: str) -> None:
        """Let a topic send to a queue."""
        statement = {
            "Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage", "Resource": queue,
            "Condition": {"ArnEquals": {"aws:SourceArn": topic}},
        }  # fmt: skip
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        self.client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})

    def receive(self, url: str) -> dict[str, Any]:
        """Receive and delete the next message; fails if there is none."""
        client = self.client("sqs")
        answer = client.receive_message(QueueUrl=url, MessageAttributeNames=["All"], WaitTimeSeconds=2)
        message = answer["Messages"][0]
        client.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return message

    def function(self, name: str, handler: str) -> str:
        """ARN of a new `provided.al2023` function; `handler` is the body of a Python `handle(event)`."""
        source = io.BytesIO()
        with zipfile.ZipFile(source, "w") as archive:
            entry = zipfile.ZipInfo("bootstrap")
            entry.external_attr = 0o755 << 16
            archive.writestr(entry, _BOOTSTRAP.replace("PYTHON", sys.executable).replace("HANDLER", handler))
        return self.client("lambda").create_function(
            FunctionName=name, Runtime="provided.al2023", Handler="bootstrap", Timeout=10,
            Role=self._role_of_functions(), Code={"ZipFile": source.getvalue()},
        )["FunctionArn"]  # fmt: skip

    def _role_of_functions(self) -> str:
        """ARN of the role of all functions, without permissions; created with the first function."""
        if self._role is None:
            trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
            document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
            role = self.client("iam").create_role(RoleName="functions", AssumeRolePolicyDocument=document)
            self._role = role["Role"]["Arn"]
        return self._role

    def api(self, integrations: dict[str, dict[str, Any]], variables: dict[str, str] | None = None) -> str:
        """Id of a new REST API, created by API calls: path part → integration with its `responses` and `method`."""
        client = self.client("apigateway")
        api_id = client.create_rest_api(name="probe")["id"]
        root = client.get_resources(restApiId=api_id)["items"][0]["id"]
        for part, described in integrations.items():
            self._resource(client, api_id, root, part, dict(described))
        client.create_deployment(restApiId=api_id, stageName="test", variables=variables or {})
        return api_id

    @staticmethod
    def _resource(client: Any, api_id: str, parent: str, part: str, described: dict[str, Any]) -> None:
        responses, method = described.pop("responses", []), described.pop("method", {})
        if "{" in part:
            parent = client.create_resource(restApiId=api_id, parentId=parent, pathPart=part.split("/")[0])["id"]
            part = part.split("/")[1]
        resource = client.create_resource(restApiId=api_id, parentId=parent, pathPart=part)["id"]
        at = {"restApiId": api_id, "resourceId": resource, "httpMethod": "POST"}
        client.put_method(**at, authorizationType="NONE", **method)
        client.put_integration(**at, integrationHttpMethod="POST", **described)
        for response in responses:
            client.put_integration_response(**at, **response)


class Answer:
    """Status, lower-case headers, body."""

    def __init__(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.status, self.headers, self.body = status, headers, body

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode()

    def __repr__(self) -> str:
        return f"{self.status} {self.headers.get('content-type')} {self.body[:300]!r}"


# Keeps its connection open, as the Rust runtime does.
_BOOTSTRAP = '''#!PYTHON
import http.client, json, os
api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
def call(method, path, body=None):
    api.request(method, "/2018-06-01/runtime/invocation/" + path, body)
    answer = api.getresponse()
    return answer.headers["Lambda-Runtime-Aws-Request-Id"], answer.read()
def handle(event):
    HANDLER
while True:
    identifier, event = call("GET", "next")
    try:
        where, answer = "/response", handle(json.loads(event))
    except Exception as error:
        where, answer = "/error", {"errorType": "Secret", "errorMessage": str(error)}
    call("POST", identifier + where, json.dumps(answer).encode())
'''
