"""The account and region, checked before long or costly work begins."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, EndpointConnectionError
from localcloud.environment import release_environment
from localcloud.failure import Failure

# Services that the commands call.
_SERVICES = ("cloudformation", "s3", "sts", "lambda", "dynamodb", "sqs", "cognito-idp")
# These name other credentials than the checked ones, or other endpoints.
_OF_THE_SHELL = ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN", "AWS_CREDENTIAL_EXPIRATION", "AWS_ENDPOINT_URL",
                 "CARGO_BUILD_TARGET")  # fmt: skip
_CREDENTIALS = (
    "  Do:   sign in (`aws sso login`, `aws configure`), or name another profile: --profile NAME (with make: PROFILE=NAME), AWS_PROFILE.\n"
    "        To list profiles: aws configure list-profiles"
)


@dataclass(frozen=True)
class Account:
    """The caller, the account and the region; `endpoint` is that of an emulator, None on AWS."""

    session: boto3.Session
    number: str
    caller: str
    region: str
    endpoint: str | None

    def client(self, service: str) -> Any:
        """A client of a service, such as `sts`."""
        return self.session.client(service, region_name=self.region, endpoint_url=self.endpoint)

    def build_environment(self) -> dict[str, str]:
        """Environment variables with which SAM builds, without credentials: compilers and build scripts get no access to the account."""
        return {**release_environment(), "AWS_REGION": self.region, "AWS_DEFAULT_REGION": self.region}

    def environment(self) -> dict[str, str]:
        """Environment variables with which SAM and the tests act as the checked caller, whatever the shell names.

        They contain the credentials, because tools differ in the precedence of profiles and keys.
        """
        credentials = self.session.get_credentials().get_frozen_credentials()
        kept = {name: value for name, value in os.environ.items() if not name.startswith(_OF_THE_SHELL)}
        return {
            **kept,
            **self.build_environment(),
            "AWS_ACCESS_KEY_ID": credentials.access_key,
            "AWS_SECRET_ACCESS_KEY": credentials.secret_key,
            **({"AWS_SESSION_TOKEN": credentials.token} if credentials.token else {}),
            # Without a profile, tools would use an endpoint_url of the default profile.
            **({"AWS_ENDPOINT_URL": self.endpoint} if self.endpoint else {"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"}),
        }

    def __str__(self) -> str:
        where = f" at {self.endpoint}" if self.endpoint else ""
        return f"account {self.number} in {self.region}{where}, as {self.caller}"


def connect(profile: str | None, region: str | None, endpoint: str | None) -> Account:
    """The account that the options and the user's AWS configuration name. Fails, naming what is missing."""
    try:
        # boto3 reads only AWS_DEFAULT_REGION, unlike SAM and the other SDKs.
        session = boto3.Session(profile_name=profile, region_name=region or os.environ.get("AWS_REGION"))
        if session.region_name is None:
            raise Failure(
                "No AWS region is set.\n"
                "  Do:   --region eu-central-1 (with make: REGION=eu-central-1), or set AWS_REGION, or `region` of the profile in ~/.aws/config."
            )
        if not endpoint:
            _refuse_an_emulator(session)
        if session.get_credentials() is None:
            raise Failure(f"No AWS credentials were found.\n{_CREDENTIALS}")
        quickly = Config(connect_timeout=10, retries={"total_max_attempts": 2})
        identity = session.client("sts", endpoint_url=endpoint, config=quickly).get_caller_identity()
    except ClientError as error:
        raise Failure(f"AWS rejects the credentials: {error}\n{_CREDENTIALS}") from error
    except EndpointConnectionError as error:
        raise Failure(f"AWS STS cannot be reached to identify you: {error}\n  Do:   check the endpoint, and the network of this machine.") from error
    except BotoCoreError as error:
        raise Failure(f"AWS STS did not identify you: {error}\n{_CREDENTIALS}") from error
    return Account(session, identity["Account"], identity["Arn"], session.region_name, endpoint)


def _refuse_an_emulator(session: boto3.Session) -> None:
    """Fail if a shell or profile points AWS tools at an emulator: the stack would be deployed there and not to AWS."""
    ignoring = Config(ignore_configured_endpoint_urls=True)
    for service in _SERVICES:
        configured = session.client(service).meta.endpoint_url
        if configured != session.client(service, config=ignoring).meta.endpoint_url:
            raise Failure(
                f"AWS tools are pointed at {configured} here, not at AWS.\n"
                '  Why:  AWS_ENDPOINT_URL is set, for example by `eval "$(make -s env)"`, or the profile has an endpoint_url.\n'
                "  Do:   open a fresh shell, or unset AWS_ENDPOINT_URL and the other AWS_* variables of the local cloud.\n"
                f"        If you mean that endpoint: --endpoint-url {configured} (with make: ENDPOINT_URL={configured})"
            )
