"""The data of users that outlives a stack: orders, stock, payments, shipments and the users themselves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from .account import Account
from .stack import Resource

_TABLE, _POOL = "AWS::DynamoDB::Table", "AWS::Cognito::UserPool"


@dataclass(frozen=True)
class Holding:
    """A resource with data of users: how much, and whether it is protected from deletion."""

    resource: Resource
    contents: str
    protected: bool

    def __str__(self) -> str:
        protection = ", protected" if self.protected else ""
        return f"{self.resource.logical_id} {self.resource.physical_id} ({self.contents}{protection})"

    def delete(self, account: Account) -> None:
        """Delete it with all its data."""
        if self.resource.kind == _TABLE:
            client = account.client("dynamodb")
            client.delete_table(TableName=self.resource.physical_id)
            client.get_waiter("table_not_exists").wait(TableName=self.resource.physical_id)
        else:
            account.client("cognito-idp").delete_user_pool(UserPoolId=self.resource.physical_id)

    def removal(self, region: str) -> list[str]:
        """Shell lines that delete it."""
        name = self.resource.physical_id
        if self.resource.kind == _TABLE:
            unprotect = f"aws dynamodb update-table --no-deletion-protection-enabled --table-name {name} --region {region}"
            delete = f"aws dynamodb delete-table --table-name {name} --region {region}"
        else:
            # Resets other settings to their defaults, which does not matter before the deletion.
            unprotect = f"aws cognito-idp update-user-pool --deletion-protection INACTIVE --user-pool-id {name} --region {region}"
            delete = f"aws cognito-idp delete-user-pool --user-pool-id {name} --region {region}"
        return [unprotect, delete] if self.protected else [delete]


def holdings(account: Account, resources: list[Resource]) -> list[Holding]:
    """The resources that still exist and have data of users."""
    known = {_TABLE: _table, _POOL: _pool}
    found = []
    for resource in resources:
        if resource.kind in known:
            try:
                found.append(known[resource.kind](account, resource))
            except ClientError as error:
                if error.response["Error"]["Code"] != "ResourceNotFoundException":
                    raise
    return found


def _table(account: Account, resource: Resource) -> Holding:
    table: dict[str, Any] = account.client("dynamodb").describe_table(TableName=resource.physical_id)["Table"]
    # AWS updates the count about every six hours.
    return Holding(resource, f"about {table.get('ItemCount', 0)} items", table.get("DeletionProtectionEnabled", False))


def _pool(account: Account, resource: Resource) -> Holding:
    pool: dict[str, Any] = account.client("cognito-idp").describe_user_pool(UserPoolId=resource.physical_id)["UserPool"]
    return Holding(resource, f"about {pool.get('EstimatedNumberOfUsers', 0)} users", pool.get("DeletionProtection") == "ACTIVE")
