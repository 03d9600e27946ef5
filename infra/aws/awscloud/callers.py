"""The callers of a smoke test: users that it creates in a Cognito user pool, or the users of given tokens."""

from __future__ import annotations

import base64
import json
import secrets
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError
from localcloud.failure import Failure
from localcloud.files import read_json, write_json

_NAME = "twolane-smoke-"


def subject(token: str) -> str:
    """The `sub` of a token, which is the owner of the orders placed with it."""
    try:
        claims = token.split(".")[1]
        owner = json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))["sub"]
    except (IndexError, ValueError, KeyError, TypeError):
        owner = None
    if not isinstance(owner, str):
        raise Failure(f"A token is not a JWT with a subject. It begins with {token[:8]!r}.")
    return owner


def read_tokens(path: Path, wanted: int) -> list[str]:
    """The tokens in a file, one per line: the first token of each user. Fails with fewer than `wanted` users."""
    try:
        tokens = path.read_text(encoding="utf-8").split()
    except OSError as error:
        raise Failure(f"The tokens cannot be read: {error}") from error
    people: dict[str, str] = {}
    for token in tokens:
        people.setdefault(subject(token), token)
    if len(people) < wanted:
        raise Failure(f"{path} has tokens of {len(people)} users, but the tests need {wanted} users, each with a token.")
    return list(people.values())


@dataclass
class PoolUsers:
    """Users of a pool that exist only for the tests. The file `record` names them before they are created."""

    cognito: Any
    pool: str
    client: str
    record: Path
    owners: list[str] = field(default_factory=list)
    _names: list[str] = field(default_factory=list)

    def make(self, count: int) -> list[str]:
        """Create `count` users; returns a token of each."""
        run = secrets.token_hex(4)
        self._names = [f"{_NAME}{run}-{number}" for number in range(count)]
        self._write_record()
        return [self._make(name) for name in self._names]

    def _make(self, name: str) -> str:
        # With every kind of character that a pool can require.
        password = f"{secrets.token_urlsafe(24)}aA1+"
        self.cognito.admin_create_user(UserPoolId=self.pool, Username=name, TemporaryPassword=password, MessageAction="SUPPRESS")
        self.cognito.admin_set_user_password(UserPoolId=self.pool, Username=name, Password=password, Permanent=True)
        answer = self.cognito.admin_initiate_auth(
            UserPoolId=self.pool, ClientId=self.client, AuthFlow="ADMIN_USER_PASSWORD_AUTH",
            AuthParameters={"USERNAME": name, "PASSWORD": password},
        )  # fmt: skip
        if "AuthenticationResult" not in answer:
            raise Failure(f"The user pool {self.pool} asks a new user for {answer.get('ChallengeName')}: give --tokens instead.")
        token = answer["AuthenticationResult"]["AccessToken"]
        self.owners.append(subject(token))
        self._write_record()
        return token

    def recall(self) -> PoolUsers | None:
        """The users of a run that could not clean up, in the pool that it used; None if there was no such run."""
        if (left := read_json(self.record)) is None:
            return None
        return replace(self, pool=left["pool"], _names=left["users"], owners=left["owners"])

    def remove(self) -> int:
        """Delete the users; returns how many there were."""
        removed = 0
        for name in self._names:
            try:
                self.cognito.admin_delete_user(UserPoolId=self.pool, Username=name)
                removed += 1
            except ClientError as error:
                if error.response["Error"]["Code"] != "UserNotFoundException":
                    raise
        self.record.unlink(missing_ok=True)
        return removed

    def _write_record(self) -> None:
        write_json(self.record, {"pool": self.pool, "users": self._names, "owners": self.owners})
