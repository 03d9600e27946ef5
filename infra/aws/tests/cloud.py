"""An emulator to deploy to, and the commands that a user types."""

from __future__ import annotations

import contextlib
import os
import pty
import re
import select
import subprocess
import sys
import urllib.request
from typing import Any

import boto3
from localcloud.build import architecture
from localcloud.layout import REPOSITORY

STACK = "twolane-on-a-stack"
SECONDS = 900
_COMMAND = REPOSITORY / "infra" / "aws"
_FLOWS = ["ALLOW_ADMIN_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]


class Cloud:
    """The emulator: its clients, its contents, and a user pool outside of the stack."""

    def __init__(self) -> None:
        self.endpoint = os.environ["AWS_ENDPOINT_URL"]
        self.cognito = boto3.client("cognito-idp")
        self.pool = self.cognito.create_user_pool(PoolName="people")["UserPool"]["Id"]
        client = self.cognito.create_user_pool_client(UserPoolId=self.pool, ClientName="smoke", ExplicitAuthFlows=_FLOWS)
        self.client = client["UserPoolClient"]["ClientId"]

    def parameters(self) -> list[str]:
        """The stack's parameters that an emulator needs, and those that make it trust the pool."""
        with urllib.request.urlopen(f"{self.endpoint}/{self.pool}/.well-known/jwks.json", timeout=10) as answer:
            keys = answer.read().decode()
        issuer = f"https://cognito-idp.{os.environ['AWS_REGION']}.amazonaws.com/{self.pool}"
        parameters = [f"LocalEndpoint={self.endpoint}", f"Architecture={architecture()}", f"JwtIssuer={issuer}"]
        return [*parameters, f"JwtAudience={self.client}", f"Jwks={keys}"]

    def options(self) -> list[str]:
        """The same for the command line of `deploy`."""
        return [word for parameter in self.parameters() for word in ("--parameter", parameter)]

    def with_the_page(self) -> list[str]:
        """Options of `deploy` for a stack that hosts the page, with sign-in at the pool."""
        parameters = ("Page=cloudfront", f"PageClientId={self.client}", f"PageSignInOrigin={self.endpoint}")
        return [*(word for parameter in parameters for word in ("--parameter", parameter)), *self.metadata()]

    def metadata(self) -> list[str]:
        """Where the pool's issuer, which is AWS's by name, publishes its metadata on an emulator."""
        return ["--issuer-metadata", f"{self.endpoint}/{self.pool}/.well-known/openid-configuration"]

    def allow_sign_in(self, address: str) -> None:
        """Let the client sign users in by the code flow, and send them back to that address."""
        self.cognito.update_user_pool_client(
            UserPoolId=self.pool, ClientId=self.client, ExplicitAuthFlows=_FLOWS, SupportedIdentityProviders=["COGNITO"],
            AllowedOAuthFlowsUserPoolClient=True, AllowedOAuthFlows=["code"], AllowedOAuthScopes=["openid"], CallbackURLs=[address],
        )  # fmt: skip

    def of_the_pool(self) -> list[str]:
        """Options with the pool in which `smoke` creates users."""
        return ["--user-pool-id", self.pool, "--user-pool-client-id", self.client]

    def inventory(self) -> dict[str, list[str]]:
        """Names of all resources that a stack could leave behind."""
        tables = boto3.client("dynamodb").list_tables()["TableNames"]
        queues = boto3.client("sqs").list_queues().get("QueueUrls", [])
        functions = [each["FunctionName"] for each in boto3.client("lambda").list_functions()["Functions"]]
        groups = [each["logGroupName"] for each in boto3.client("logs").describe_log_groups()["logGroups"]]
        topics = [each["TopicArn"] for each in boto3.client("sns").list_topics()["Topics"]]
        roles = [each["RoleName"] for each in boto3.client("iam").list_roles()["Roles"]]
        apis = [each["id"] for each in boto3.client("apigateway").get_rest_apis()["items"]]
        sockets = [each["ApiId"] for each in boto3.client("apigatewayv2").get_apis()["Items"]]
        alarms = [each["AlarmName"] for each in boto3.client("cloudwatch").describe_alarms()["MetricAlarms"]]
        # SAM's own bucket outlives every stack.
        buckets = [each["Name"] for each in boto3.client("s3").list_buckets()["Buckets"] if not each["Name"].startswith("aws-sam-cli-")]
        distributions = [each["Id"] for each in boto3.client("cloudfront").list_distributions()["DistributionList"].get("Items", [])]
        kinds = {"buckets": buckets, "distributions": distributions, "tables": tables, "queues": queues, "functions": functions, "log groups": groups, "topics": topics,
                 "roles": roles, "REST APIs": apis, "WebSocket APIs": sockets, "alarms": alarms}  # fmt: skip
        return {kind: sorted(names) for kind, names in kinds.items()}

    def users(self) -> list[str]:
        return sorted(each["Username"] for each in self.cognito.list_users(UserPoolId=self.pool)["Users"])

    def person(self, name: str) -> str:
        """The password of a new user of the pool."""
        password = f"{name}-aA1+aA1+aA1+"
        self.cognito.admin_create_user(UserPoolId=self.pool, Username=name, TemporaryPassword=password, MessageAction="SUPPRESS")
        self.cognito.admin_set_user_password(UserPoolId=self.pool, Username=name, Password=password, Permanent=True)
        return password

    def token(self, name: str) -> str:
        """A token of a new user of the pool."""
        password = self.person(name)
        answer = self.cognito.admin_initiate_auth(UserPoolId=self.pool, ClientId=self.client, AuthFlow="ADMIN_USER_PASSWORD_AUTH",
                                                  AuthParameters={"USERNAME": name, "PASSWORD": password})  # fmt: skip
        return answer["AuthenticationResult"]["AccessToken"]


def start(*arguments: str, stack: str = STACK) -> subprocess.Popen[str]:
    """Start a command as a user would, with the endpoint only in the options."""
    command = [sys.executable, str(_COMMAND), arguments[0], "--endpoint-url", os.environ["AWS_ENDPOINT_URL"], "--stack-name", stack]
    return subprocess.Popen([*command, *arguments[1:]], cwd=REPOSITORY, env=without_endpoint(), stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")  # fmt: skip


def run(*arguments: str, stack: str = STACK) -> tuple[int, str]:
    """Run a command: its exit code, and all that it printed."""
    process = start(*arguments, stack=stack)
    printed, _ = process.communicate(timeout=SECONDS)
    return process.returncode, printed


def answer(answers: dict[str, str], *arguments: str) -> tuple[int, str]:
    """Run a command in a terminal. Answers a question that contains one of the texts with the value of that text, others with Enter."""
    terminal, of_the_command = pty.openpty()
    process = subprocess.Popen([sys.executable, str(_COMMAND), *arguments], cwd=REPOSITORY, env=without_endpoint(), stdin=of_the_command,
                               stdout=of_the_command, stderr=subprocess.STDOUT, start_new_session=True)  # fmt: skip
    os.close(of_the_command)
    printed, answered = "", 0
    # On Linux, reading fails once no process has the terminal open.
    with contextlib.suppress(OSError):
        while select.select([terminal], [], [], SECONDS)[0] and (more := os.read(terminal, 4096)):
            printed += more.decode(errors="replace")
            question = printed[answered:].rpartition("\n")[2]
            if re.search(r"(\[[^\n]*\]|\[y/N\]): ?$", question):
                answered = len(printed)
                reply = next((reply for text, reply in answers.items() if text in question), "")
                os.write(terminal, f"{reply}\n".encode())
    os.close(terminal)
    # The terminal is gone: a process that still waits for an answer would wait for ever.
    return process.wait(SECONDS), printed


def without_endpoint() -> dict[str, str]:
    """The environment of a user with tools that use AWS."""
    return {name: value for name, value in os.environ.items() if not name.startswith("AWS_ENDPOINT_URL")}
