"""The roles of GitHub Actions: their permissions, compared with what the template and the workflows need."""

from __future__ import annotations

import re
import unittest
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from localcloud.layout import REPOSITORY

_WORKFLOWS = REPOSITORY / ".github" / "workflows"
# Needed by CloudFormation to create, read, change and delete a role without a permissions boundary. Source: schema of
# the resource type AWS::IAM::Role, handlers.
_OF_THE_HANDLER = {
    "AttachRolePolicy", "CreateRole", "DeleteRole", "DeleteRolePolicy", "DetachRolePolicy", "GetRole", "GetRolePolicy",
    "ListAttachedRolePolicies", "ListRolePolicies", "PutRolePolicy", "TagRole", "UntagRole", "UpdateAssumeRolePolicy",
    "UpdateRole", "UpdateRoleDescription",
}  # fmt: skip


class _Loader(yaml.SafeLoader):
    """Reads CloudFormation's short forms as what they are given: `!Sub text` is the text."""


def _argument(loader: _Loader, _tag: str, node: yaml.Node) -> Any:
    if isinstance(node, yaml.ScalarNode):
        return loader.construct_scalar(node)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    return loader.construct_mapping(node, deep=True)


_Loader.add_multi_constructor("!", _argument)


def read(path: Path) -> dict[str, Any]:
    """A template of CloudFormation."""
    return yaml.load(path.read_text(encoding="utf-8"), _Loader)  # noqa: S506  (a SafeLoader)


ROLES = read(REPOSITORY / "infra" / "aws" / "github-role.yaml")


def statements(role: str) -> Iterator[dict[str, Any]]:
    """All permissions of a role."""
    for policy in ROLES["Resources"][role]["Properties"]["Policies"]:
        yield from policy["PolicyDocument"]["Statement"]


def actions(statement: dict[str, Any]) -> set[str]:
    """The actions of a statement, as a list."""
    named = statement["Action"]
    return {named} if isinstance(named, str) else set(named)


def becomes(role: str) -> str:
    """The jobs that may assume the role."""
    trusted = ROLES["Resources"][role]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
    return trusted[0]["Condition"]["StringEquals"]["token.actions.githubusercontent.com:sub"]


def roles_of_the_stack() -> list[dict[str, Any]]:
    """The roles that a deployment creates."""
    resources = read(REPOSITORY / "template.yaml")["Resources"].values()
    return [each["Properties"] for each in resources if each["Type"] == "AWS::IAM::Role"]


class DeployRole(unittest.TestCase):
    def test_its_permissions_on_roles_are_those_that_cloudformation_needs(self) -> None:
        allowed = {action for statement in statements("DeployRole") for action in actions(statement) if action.startswith("iam:")}

        self.assertEqual(allowed, {f"iam:{action}" for action in _OF_THE_HANDLER} | {"iam:PassRole"})

    def test_it_attaches_only_the_managed_policies_that_the_stack_has(self) -> None:
        had = {arn for role in roles_of_the_stack() for arn in role.get("ManagedPolicyArns", [])}

        for statement in statements("DeployRole"):
            if actions(statement) & {"iam:AttachRolePolicy", "iam:DetachRolePolicy"}:
                self.assertEqual({statement["Condition"]["ArnEquals"]["iam:PolicyARN"]}, had)

    def test_it_passes_roles_only_to_the_services_that_the_stack_has_roles_for(self) -> None:
        trusted = {role["AssumeRolePolicyDocument"]["Statement"][0]["Principal"]["Service"] for role in roles_of_the_stack()}

        for statement in statements("DeployRole"):
            if "iam:PassRole" in actions(statement):
                self.assertEqual(set(statement["Condition"]["StringEquals"]["iam:PassedToService"]), trusted)

    def test_a_stack_name_that_others_begin_with_is_refused(self) -> None:
        allowed = re.compile(ROLES["Parameters"]["StackName"]["AllowedPattern"])

        self.assertTrue(allowed.match("twolane-dev"))
        for name in ("twolane", "twolane-", "*", "twolane-*"):
            self.assertFalse(allowed.match(name), name)


class SmokeRole(unittest.TestCase):
    def test_it_may_neither_deploy_nor_create_roles(self) -> None:
        allowed = {action for statement in statements("SmokeRole") for action in actions(statement)}

        self.assertEqual({action.partition(":")[0] for action in allowed}, {"cloudformation", "cognito-idp", "dynamodb", "sqs"})
        self.assertEqual({action for action in allowed if re.search(r":(Create|Update|Put|Delete)(?!Item)", action)}, set())

    def test_a_job_that_compiles_can_only_assume_this_role(self) -> None:
        self.assertEqual(becomes("DeployRole"), "repo:${Repository}:environment:${Environment}")
        self.assertEqual(becomes("SmokeRole"), "repo:${Repository}:environment:${Environment}-smoke")
        compiling = []
        for path in _WORKFLOWS.glob("*.yml"):
            for job in yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"].values():
                runs = " ".join(step.get("run", "") for step in job.get("steps", []))
                if "id-token" in job["permissions"] and re.search("cargo|rustup|make |smoke", runs):
                    compiling.append(job["environment"])

        self.assertEqual(compiling, ["dev-smoke"])
