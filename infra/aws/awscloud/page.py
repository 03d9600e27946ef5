"""`page`: upload the page to the bucket of a stack that hosts it, with the addresses and the sign-in of that stack."""

from __future__ import annotations

import argparse
import json
import urllib.request
from collections.abc import Collection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from botocore.exceptions import ClientError
from localcloud.failure import Failure
from localcloud.layout import Project

from . import environments, stack
from .account import Account, connect

BUCKET, _URL = "PageBucketName", "PageUrl"
_CONFIGURATION = "config.json"
_INDEX = "index.html"
# As in `twolane page`: crates/twolane/src/page/files.rs.
_MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
_ANSWER_SECONDS = 10


def page(options: argparse.Namespace) -> int:
    """Upload the page of a stack that is deployed."""
    project = Project(Path(options.project).resolve())
    environment = environments.read(project.samconfig, options.config_env)
    account = connect(options.profile, options.region or environment.region, options.endpoint_url)
    deployed = stack.find_usable(account, options.stack_name or environment.stack)
    if not is_hosted(deployed):
        raise Failure(f"The stack {deployed.name} does not host the page.\n  Do:   deploy it with the parameter Page=cloudfront: docs/browser.md, \"On AWS\"")
    upload(project.root / "page", account, deployed, options.issuer_metadata)
    return 0


def is_hosted(deployed: stack.Stack) -> bool:
    """Whether the stack has a place for the page."""
    return BUCKET in deployed.outputs


def upload(folder: Path, account: Account, deployed: stack.Stack, metadata_url: str | None) -> None:
    """Bring the bucket to the files of `folder` and the stack's settings, and print the page's address."""
    settings = json.dumps(configuration(deployed, metadata(deployed, metadata_url)), indent=2).encode()
    contents = {**files(folder), _CONFIGURATION: (settings, "application/json")}
    bucket, client = deployed.outputs[BUCKET], account.client("s3")
    # The index comes last, after what it names.
    for name, (content, media_type) in sorted(contents.items(), key=lambda item: item[0] == _INDEX):
        client.put_object(Bucket=bucket, Key=name, Body=content, ContentType=media_type, CacheControl="no-cache")
    _delete(client, bucket, keep=contents.keys())
    print(f"The page is uploaded: {deployed.outputs[_URL]}/", flush=True)


def empty(account: Account, deployed: stack.Stack) -> None:
    """Delete the page's files: CloudFormation deletes only an empty bucket."""
    if not is_hosted(deployed):
        return
    try:
        _delete(account.client("s3"), deployed.outputs[BUCKET], keep=())
    except ClientError as error:
        # An earlier deletion of the stack may have ended halfway.
        if error.response["Error"]["Code"] != "NoSuchBucket":
            raise


def _delete(client: Any, bucket: str, keep: Collection[str]) -> None:
    """Delete all files but these."""
    for listed in client.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        # A page of the list has at most as many keys as a deletion takes.
        if surplus := [{"Key": each["Key"]} for each in listed.get("Contents", []) if each["Key"] not in keep]:
            failed = client.delete_objects(Bucket=bucket, Delete={"Objects": surplus, "Quiet": True}).get("Errors")
            if failed:
                raise Failure(f"S3 did not delete {failed[0]['Key']} of the bucket {bucket}: {failed[0]['Message']}")


def files(folder: Path) -> dict[str, tuple[bytes, str]]:
    """Content and media type of each file of the page."""
    return {path.name: (path.read_bytes(), _media_type(path)) for path in sorted(folder.iterdir()) if path.is_file()}


def _media_type(path: Path) -> str:
    if path.suffix not in _MEDIA_TYPES:
        raise Failure(f"{path} is not a file of the page.\n  Do:   remove it, or add the media type of {path.suffix!r} to {Path(__file__).name}.")
    return _MEDIA_TYPES[path.suffix]


def metadata(deployed: stack.Stack, url: str | None) -> dict[str, Any]:
    """What the issuer publishes about itself. Source: OpenID Connect Discovery 1.0, "OpenID Provider Metadata"."""
    issuer = deployed.outputs["PageIssuer"]
    url = url or f"{issuer.rstrip('/')}/.well-known/openid-configuration"
    try:
        with urllib.request.urlopen(url, timeout=_ANSWER_SECONDS) as answer:
            published: Any = json.load(answer)
        missing = [name for name in ("issuer", "authorization_endpoint", "token_endpoint") if not isinstance(published.get(name), str)]
    except (OSError, ValueError, AttributeError) as error:
        raise Failure(
            f"The metadata of the issuer cannot be read from {url}: {error}\n"
            "  Why:  the page signs users in at the addresses that it names.\n"
            "  Do:   run `python3 infra/aws page` where the issuer is reachable; if it is published elsewhere, name that: --issuer-metadata URL"
        ) from error
    if missing:
        raise Failure(f"The metadata of the issuer at {url} has no {', '.join(missing)}.\n  Do:   name where it is: --issuer-metadata URL")
    # Another issuer's addresses would get the users' codes.
    if published["issuer"] != issuer:
        raise Failure(f"The metadata at {url} is of the issuer {published['issuer']}, and the stack accepts tokens of {issuer}.")
    return published


def configuration(deployed: stack.Stack, published: dict[str, Any]) -> dict[str, Any]:
    """What the page reads from config.json. Everything in it is public."""
    outputs, parameters = deployed.outputs, deployed.parameters
    _refuse_what_the_policy_blocks(parameters, published["token_endpoint"])
    sign_in = {
        "authorizationEndpoint": published["authorization_endpoint"],
        "tokenEndpoint": published["token_endpoint"],
        "clientId": outputs["PageClientId"],
        "scope": parameters["PageScope"],
    }
    if revocation := published.get("revocation_endpoint"):
        sign_in["revocationEndpoint"] = revocation
    # Auth0 asks for it; others ignore it. Source: RFC 6749, section 3.1, unrecognized request parameters.
    if audience := parameters["JwtAudience"]:
        sign_in["audience"] = audience
    return {"apiUrl": outputs["ApiUrl"], **_websocket(outputs), "signIn": sign_in}


def _websocket(outputs: dict[str, str]) -> dict[str, str]:
    return {"webSocketUrl": outputs["WebSocketUrl"]} if "WebSocketUrl" in outputs else {}


def _refuse_what_the_policy_blocks(parameters: dict[str, str], token_endpoint: str) -> None:
    """The page's security policy names one origin for sign-in. The template finds that of the stack's own user pool itself."""
    if not parameters["JwtIssuer"]:
        return
    allowed, origin = parameters["PageSignInOrigin"] or _origin(parameters["JwtIssuer"]), _origin(token_endpoint)
    if origin != allowed:
        raise Failure(
            f"The page's security policy allows sign-in at {allowed}, and the issuer's token endpoint is {token_endpoint}.\n"
            f"  Do:   make deploy PARAMETERS=PageSignInOrigin={origin}"
        )


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
