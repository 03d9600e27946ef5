"""A deployed stack: its status, its outputs, and the resources that outlive it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError
from localcloud.failure import Failure
from samcli.yamlhelper import yaml_parse

from .account import Account

# Start of template.yaml's description. Other stacks are neither changed nor deleted.
OURS = "Twolane: the same order"
_OUTLIVES = ("Retain", "RetainExceptOnCreate")


@dataclass(frozen=True)
class Stack:
    """A stack as CloudFormation describes it."""

    name: str
    status: str
    outputs: dict[str, str]
    parameters: dict[str, str]
    changed: datetime

    @property
    def is_usable(self) -> bool:
        """Whether the last deployment, or the one before it, is complete."""
        return self.status in ("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "IMPORT_COMPLETE")

    @property
    def is_beyond_update(self) -> bool:
        """Whether CloudFormation refuses to update the stack: it must be deleted first."""
        return self.status in ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "DELETE_FAILED")


@dataclass(frozen=True)
class Resource:
    """One resource of a stack."""

    logical_id: str
    kind: str
    physical_id: str


def find(account: Account, name: str) -> Stack | None:
    """The stack, or None if it does not exist or was never deployed. Fails if it was deployed from another template."""
    try:
        client = account.client("cloudformation")
        described = client.describe_stacks(StackName=name)["Stacks"][0]
    except ClientError as error:
        if "does not exist" in str(error):
            return None
        raise Failure(f"The stack {name} cannot be looked up: {error}") from error
    if described["StackStatus"] in ("REVIEW_IN_PROGRESS", "DELETE_COMPLETE"):
        return None
    if not client.get_template_summary(StackName=name).get("Description", "").startswith(OURS):
        raise Failure(
            f"The stack {name} in {account.region} of account {account.number} was not deployed from Twolane's template.\n"
            f"  Why:  its description does not begin with {OURS!r}.\n"
            "  Do:   name another stack: --stack-name NAME, STACK=NAME with make."
        )
    outputs = {each["OutputKey"]: each["OutputValue"] for each in described.get("Outputs", [])}
    parameters = {each["ParameterKey"]: each["ParameterValue"] for each in described.get("Parameters", [])}
    return Stack(name, described["StackStatus"], outputs, parameters, described.get("LastUpdatedTime", described["CreationTime"]))


def find_usable(account: Account, name: str) -> Stack:
    """The stack, which must exist and be usable."""
    found = find(account, name)
    if found is None:
        raise Failure(f"The stack {name} does not exist in {account.region} of account {account.number}.\n  Do:   make deploy")
    if not found.is_usable:
        raise Failure(f"The stack {name} is in {found.status}.\n  Do:   make deploy; if that fails, make destroy, then make deploy.")
    return found


def outliving(account: Account, name: str) -> list[Resource]:
    """The resources that stay when the stack is deleted."""
    client = account.client("cloudformation")
    body: Any = client.get_template(StackName=name, TemplateStage="Processed")["TemplateBody"]
    # Text, as uploaded, if no transform changed it. JSON is YAML, too.
    template = yaml_parse(body) if isinstance(body, str) else body
    kept = {key for key, resource in template["Resources"].items() if resource.get("DeletionPolicy") in _OUTLIVES}
    pages = client.get_paginator("list_stack_resources").paginate(StackName=name)
    return [
        Resource(each["LogicalResourceId"], each["ResourceType"], each["PhysicalResourceId"])
        for page in pages
        for each in page["StackResourceSummaries"]
        if each["LogicalResourceId"] in kept and each.get("PhysicalResourceId") and each["ResourceStatus"] != "DELETE_COMPLETE"
    ]
