"""The template with its own domains on an emulator: what CloudFormation makes of them, and a request at the domain of the REST API.

Runs like `on_a_stack`. The functions are empty programs: only answers of API Gateway itself are asked for. A stack with domains has no
`LocalEndpoint`, so its functions would not reach the emulator anyway.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import unittest
import urllib.error
import urllib.request
import zipfile
from typing import Any

import boto3
from localcloud.layout import EXPANDER, REPOSITORY

_STACK, _BUCKET = "twolane-domains", "twolane-domains"
_KEYS = '{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"1","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}'
_PARAMETERS = {"JwtIssuer": "https://issuer.example", "JwtAudience": "twolane", "Jwks": _KEYS, "ApiGatewayLogsRole": "account",
               "Page": "cloudfront", "PageClientId": "page"}  # fmt: skip
_DOMAINS = {"ApiDomain": "api.example.com", "SocketDomain": "socket.example.com", "PageDomain": "orders.example.com"}
_ADDRESSES = ("ApiUrl", "WebSocketUrl", "PageUrl")


class OnDomains(unittest.TestCase):
    """A stack that gets domains, and loses them again."""

    def setUp(self) -> None:
        self.endpoint, self.cloudformation = os.environ["AWS_ENDPOINT_URL"], boto3.client("cloudformation")
        self.route53, self.s3 = boto3.client("route53"), boto3.resource("s3")
        self.zone = self.route53.create_hosted_zone(Name="example.com", CallerReference=_STACK)["HostedZone"]["Id"].rpartition("/")[2]
        self.addCleanup(self.route53.delete_hosted_zone, Id=self.zone)
        self.bucket = self.s3.create_bucket(Bucket=_BUCKET)
        self.addCleanup(lambda: (self.bucket.objects.delete(), self.bucket.delete()))
        self.bucket.put_object(Key="template.json", Body=_template())
        self.bucket.put_object(Key="function.zip", Body=_program())
        self.addCleanup(self.finish, "stack_delete_complete", self.cloudformation.delete_stack, {"StackName": _STACK})

    def finish(self, state: str, call: Any, arguments: dict[str, Any]) -> None:
        call(**arguments)
        self.cloudformation.get_waiter(state).wait(StackName=_STACK, WaiterConfig={"Delay": 1, "MaxAttempts": 120})

    def deploy(self, operation: str, **parameters: str) -> dict[str, str]:
        """Create or update the stack: its outputs."""
        given = [{"ParameterKey": name, "ParameterValue": value} for name, value in {**_PARAMETERS, **parameters}.items()]
        arguments = {"StackName": _STACK, "TemplateURL": f"{self.endpoint}/{_BUCKET}/template.json", "Capabilities": ["CAPABILITY_IAM"]}
        self.finish(f"stack_{operation}_complete", getattr(self.cloudformation, f"{operation}_stack"), {**arguments, "Parameters": given})
        stack = self.cloudformation.describe_stacks(StackName=_STACK)["Stacks"][0]
        return {each["OutputKey"]: each["OutputValue"] for each in stack["Outputs"]}

    def records(self) -> dict[tuple[str, str], str]:
        """Where each name leads, by name and type."""
        records = self.route53.list_resource_record_sets(HostedZoneId=self.zone)["ResourceRecordSets"]
        return {(each["Name"], each["Type"]): each["AliasTarget"]["DNSName"] for each in records if "AliasTarget" in each}

    def test_a_stack_gets_domains_and_loses_them_again(self) -> None:
        without = self.deploy("create")
        outputs = self.deploy("update", **_DOMAINS, HostedZoneId=self.zone)

        addresses = {name: outputs[name] for name in _ADDRESSES}
        self.assertEqual(addresses, {"ApiUrl": "https://api.example.com", "WebSocketUrl": "wss://socket.example.com",
                                     "PageUrl": "https://orders.example.com"})  # fmt: skip
        expected = {(f"{domain}.", kind): f"{outputs[f'{name}Target']}." for name, domain in _DOMAINS.items() for kind in ("A", "AAAA")}
        self.assertEqual(self.records(), expected)
        status, problem = self.get("/orders/5f0c1b0e-6a54-4a2e-9d0b-3c1f2e4d5a6b", host=_DOMAINS["ApiDomain"])
        self.assertEqual((status, problem["title"]), (401, "Unauthorized"), "the path has no stage")

        again = self.deploy("update", **dict.fromkeys([*_DOMAINS, "HostedZoneId"], ""))
        self.assertEqual({name: again[name] for name in _ADDRESSES}, {name: without[name] for name in _ADDRESSES})
        self.assertEqual(self.records(), {})

    def get(self, path: str, host: str) -> tuple[int, dict[str, Any]]:
        """The answer to a request at that host, which leads to the emulator."""
        try:
            with urllib.request.urlopen(urllib.request.Request(self.endpoint + path, headers={"Host": host}), timeout=10) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)


def _template() -> bytes:
    """The template as plain CloudFormation."""
    command = [sys.executable, str(EXPANDER), "template.yaml", "infra/openapi.yaml"]
    expanded = subprocess.run(command, cwd=REPOSITORY, stdout=subprocess.PIPE, check=True).stdout
    return expanded.replace(b'{"S3Bucket": "bucket", "S3Key": "key"}', json.dumps({"S3Bucket": _BUCKET, "S3Key": "function.zip"}).encode())


def _program() -> bytes:
    """An empty function."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as files:
        files.writestr("bootstrap", "#!/bin/sh\n")
    return archive.getvalue()
