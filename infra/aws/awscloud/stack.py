"""A deployed stack: its state, its outputs, and what of it outlives it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from botocore.exceptions import ClientError
from localcloud.failure import Failure
from samcli.yamlhelper import yaml_parse

from .account import Account

# How the description of template.yaml begins: no other stack may be changed or deleted because it has the name.
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
        """Whether what was deployed last, or before it, is there as a whole."""
        return self.status in ("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE", "IMPORT_COMPLETE")

    @property
    def is_beyond_update(self) -> bool:
        """CloudFormation takes no update of such a stack: it must be deleted first."""
        return self.status in ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "DELETE_FAILED")


@dataclass(frozen=True)
class Resource:
    """One resource of a stack."""

    logical_id: str
    kind: str
    physical_id: str


def find(account: Account, name: str) -> Stack | None:
    """The stack, or None when there is none of that name, or only one that was never deployed; fails when it is somebody else's."""
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
            f"The stack {name} in {account.region} of account {account.number} is not Twolane's: it was not deployed from this template.\n"
            f"  Why:  its description does not begin with {OURS!r}.\n"
            "  Do:   name another one: --stack-name NAME, STACK=NAME with make."
        )
    outputs = {each["OutputKey"]: each["OutputValue"] for each in described.get("Outputs", [])}
    parameters = {each["ParameterKey"]: each["ParameterValue"] for each in described.get("Parameters", [])}
    return Stack(name, described["StackStatus"], outputs, parameters, described.get("LastUpdatedTime", described["CreationTime"]))


def find_usable(account: Account, name: str) -> Stack:
    """The stack, which must be there and whole."""
    found = find(account, name)
    if found is None:
        raise Failure(f"There is no stack {name} in {account.region} of account {account.number}.\n  Do:   make deploy")
    if not found.is_usable:
        raise Failure(f"The stack {name} is in {found.status}.\n  Do:   mend it with make deploy, or make destroy and deploy it anew.")
    return found


def outliving(account: Account, name: str) -> list[Resource]:
    """What stays when the stack is deleted."""
    client = account.client("cloudformation")
    body: Any = client.get_template(StackName=name, TemplateStage="Processed")["TemplateBody"]
    # As it was given, where it was never transformed; that may be YAML, of which JSON is a part.
    template = yaml_parse(body) if isinstance(body, str) else body
    kept = {key for key, resource in template["Resources"].items() if resource.get("DeletionPolicy") in _OUTLIVES}
    pages = client.get_paginator("list_stack_resources").paginate(StackName=name)
    return [
        Resource(each["LogicalResourceId"], each["ResourceType"], each["PhysicalResourceId"])
        for page in pages
        for each in page["StackResourceSummaries"]
        if each["LogicalResourceId"] in kept and each.get("PhysicalResourceId") and each["ResourceStatus"] != "DELETE_COMPLETE"
    ]
