"""`destroy`: delete the stack, and print what outlives it."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError
from localcloud import sam
from localcloud.failure import Failure
from localcloud.layout import Project

from . import advice, environments, page, stack
from .account import Account, connect
from .consent import agree, agree_by_name, require_answers
from .data import Holding, holdings

# One role per account and region, whichever stack created it: other stacks may use it.
_LOGS_ROLE = "AWS::IAM::Role"


def destroy(options: argparse.Namespace) -> int:
    """Ask, delete the stack, delete the data if wanted and allowed, print what is left."""
    project = Project(Path(options.project).resolve())
    environment = environments.read(project.samconfig, options.config_env)
    account = connect(options.profile, options.region or environment.region, options.endpoint_url)
    if not options.yes:
        require_answers("`destroy` asks before it deletes")
    name = options.stack_name or environment.stack
    found = stack.find(account, name)
    if found is None:
        print(f"The stack {name} does not exist: {account}.")
        return 0
    kept = stack.outliving(account, name)
    data = holdings(account, kept)
    print(f"The stack {name}: {account}.\nWhat outlives it:")
    for holding in data:
        print(f"  {holding}")
    wanted = _wants_data_deleted(options, data)
    if not options.yes and not agree_by_name(f"Delete the stack{', its tables and users' if wanted else ''}?", name):
        print("Nothing was deleted.")
        return 1
    page.empty(account, found)
    arguments = ["delete", "--stack-name", name, "--region", account.region, "--no-prompts",
                 "--config-file", str(project.samconfig), "--config-env", environment.name]  # fmt: skip
    if not sam.in_foreground(arguments, project, account.environment()) or stack.find(account, name):
        raise Failure(
            f"The stack {name} could not be deleted completely. SAM's message is above.\n"
            f"  Do:   find the reason: aws cloudformation describe-stack-events --stack-name {name} --region {account.region}; then run this again."
        )
    left = [holding for holding in data if not (wanted and _is_deleted(holding, account))]
    _print_what_is_left(left, kept, account)
    return 1 if wanted and left else 0


def _is_deleted(holding: Holding, account: Account) -> bool:
    """Delete it. After a failure, go on with the others: without the stack, only this run knows its resources."""
    try:
        holding.delete(account)
    except (BotoCoreError, ClientError) as error:
        print(f"{holding} could not be deleted: {error}", file=sys.stderr)
        return False
    print(f"Deleted {holding}.")
    return True


def _wants_data_deleted(options: argparse.Namespace, data: list[Holding]) -> bool:
    protected = [holding for holding in data if holding.protected]
    if options.delete_data and protected:
        raise Failure(
            f"Protected from deletion: {', '.join(map(str, protected))}. Nothing was deleted.\n"
            f"  Do:   leave out --delete-data; or first remove the protection:\n"
            f"        {advice.make('deploy', options, 'PARAMETERS=DeletionProtection=false')}"
        )
    if options.delete_data or options.yes or protected or not data:
        return options.delete_data and bool(data)
    return agree("Delete these too?")


def _print_what_is_left(data: list[Holding], kept: list[stack.Resource], account: Account) -> None:
    if data:
        print("\nKept, with all data. To delete it permanently:")
        for holding in data:
            for line in holding.removal(account.region):
                print(f"  {line}")
    roles = [resource.physical_id for resource in kept if resource.kind == _LOGS_ROLE]
    if roles:
        print(
            "\nKept: the account's role for API Gateway's logs, which other APIs of this region may use. To delete it if none does:\n"
            f"  aws apigateway update-account --patch-operations op=replace,path=/cloudwatchRoleArn,value= --region {account.region}"
        )
        policy = f"arn:{account.caller.split(':')[1]}:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs"
        for role in roles:
            print(f"  aws iam detach-role-policy --role-name {role} --policy-arn {policy}")
            print(f"  aws iam delete-role --role-name {role}")
    print("\nKept: the bucket of the stack aws-sam-cli-managed-default. It has the uploads of every SAM stack of this region.")
