"""The CloudFormation calls of `up`, over plain HTTP: the emulator does not check signatures."""

from __future__ import annotations

import urllib.error
import urllib.parse
import urllib.request
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass, field

from .environment import REGION, endpoint
from .failure import Failure

# Read by the emulator: the service from the credential scope, the account from the access key.
_AUTHORIZATION = (
    f"AWS4-HMAC-SHA256 Credential=test/20000101/{REGION}/cloudformation/aws4_request, SignedHeaders=host, Signature=0"
)
_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(frozen=True)
class Stack:
    """The status, outputs and parameters of a stack."""

    status: str
    outputs: dict[str, str] = field(default_factory=dict)
    parameters: dict[str, str] = field(default_factory=dict)

    @property
    def is_busy(self) -> bool:
        return self.status.endswith("_IN_PROGRESS") and self.status != "REVIEW_IN_PROGRESS"

    @property
    def is_healthy(self) -> bool:
        return self.status in ("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "IMPORT_COMPLETE")

    @property
    def is_beyond_update(self) -> bool:
        """CloudFormation refuses to update such a stack: it must be deleted first."""
        return not self.is_healthy and not self.is_busy


def describe(port: int, stack: str) -> Stack | None:
    """The stack, or None if it does not exist."""
    try:
        answer = _call(port, "DescribeStacks", StackName=stack)
    except Failure as failure:
        if "does not exist" in str(failure):
            return None
        raise
    found = answer.find(".//Stacks/member")
    if found is None:
        return None
    status = found.findtext("StackStatus", "")
    return None if status == "DELETE_COMPLETE" else Stack(status, _pairs(found, "Output"), _pairs(found, "Parameter"))


def _pairs(stack: ElementTree.Element, kind: str) -> dict[str, str]:
    """What CloudFormation lists as `OutputKey` and `OutputValue`, or as `ParameterKey` and `ParameterValue`."""
    return {item.findtext(f"{kind}Key", ""): item.findtext(f"{kind}Value", "") for item in stack.findall(f"{kind}s/member")}


def failure_reasons(port: int, stack: str) -> list[str]:
    """`LogicalId (Type): reason` of each failed event, oldest first."""
    answer = _call(port, "DescribeStackEvents", StackName=stack)
    reasons = []
    for event in answer.findall(".//StackEvents/member"):
        reason = event.findtext("ResourceStatusReason")
        if reason and event.findtext("ResourceStatus", "").endswith("_FAILED"):
            reasons.append(f"{event.findtext('LogicalResourceId')} ({event.findtext('ResourceType')}): {reason}")
    return reasons[::-1]


def delete(port: int, stack: str) -> None:
    """Begin to delete the stack."""
    _call(port, "DeleteStack", StackName=stack)


def _call(port: int, action: str, **parameters: str) -> ElementTree.Element:
    form = urllib.parse.urlencode({"Action": action, "Version": "2010-05-15", **parameters}).encode()
    request = urllib.request.Request(f"{endpoint(port)}/", form, {"Authorization": _AUTHORIZATION})
    try:
        with _direct.open(request, timeout=30) as answer:
            text = answer.read().decode()
    except urllib.error.HTTPError as error:
        raise Failure(f"CloudFormation {action} failed: {error.read().decode(errors='replace')}") from error
    except OSError as error:
        raise Failure(f"CloudFormation {action} failed: the emulator on port {port} does not answer ({error}).") from error
    tree = ElementTree.fromstring(text)
    for element in tree.iter():
        element.tag = element.tag.rpartition("}")[2]
    return tree
