"""`smoke`: run the end-to-end tests that work on any stack on a deployed one, and clean up."""

from __future__ import annotations

import argparse
import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from localcloud.failure import Failure
from localcloud.files import OF_ITS_OWNER_ALONE, exclusive_or_fail, refuse_unwritable, write_json, write_whole
from localcloud.interrupts import signals_as_interrupts, signals_put_off
from localcloud.layout import REPOSITORY
from localcloud.prerequisites import check_rust
from localcloud.progress import Progress

from . import callers, cost, environments, stack, suite
from .account import Account, connect
from .callers import PoolUsers
from .consent import agree, require_answers
from .traces import Row, Traces

# Users that the tests name. With fewer, the tests report the missing one.
_PEOPLE = 7


def smoke(options: argparse.Namespace) -> int:
    """Check, estimate the cost, ask, create users, test, and clean up in any case."""
    progress = Progress(steps=4)
    progress.step("Checking tools, credentials and stack")
    environment = environments.read(Path(options.project).resolve() / "samconfig.toml", options.config_env)
    check_rust()
    account = connect(options.profile, options.region or environment.region, options.endpoint_url)
    if not options.yes:
        require_answers("`smoke` shows the cost and asks before it starts")
    deployed = stack.find_usable(account, options.stack_name or environment.stack)
    progress.detail(f"the stack {deployed.name}: {account}")
    if "WebSocketUrl" not in deployed.outputs:
        raise Failure(f"The stack {deployed.name} sends no callbacks, but the tests wait for them.\n  Do:   deploy it with Callbacks=websocket.")
    # One per stack: a record of one stack must not delete data of another.
    folder = REPOSITORY / ".local" / "aws" / f"{account.number}-{account.region}-{deployed.name}"
    refuse_unwritable(folder / "outputs.json")
    users = _pool_users(options, account, deployed, folder)
    progress.step("Building the tests")
    tests = suite.build(REPOSITORY)
    selection = suite.select(tests, options.patterns)
    print(f"\n{cost.estimate(_table_bytes(account, deployed))}")
    if not options.yes and not agree(f"Run {len(selection.run)} tests, which place orders in {deployed.name} and delete them again?"):
        print("Nothing was run.")
        return 1
    busy = f"Another `smoke` (pid {{holder}}) is testing {deployed.name}. Wait for it to end."
    with exclusive_or_fail(folder / "smoke.lock", busy), signals_as_interrupts():
        return _Run(account, deployed, folder, users, progress).run(options, tests, selection)


class _Run:
    def __init__(self, account: Account, deployed: stack.Stack, folder: Path, users: PoolUsers | None, progress: Progress) -> None:
        self._account, self._stack, self._folder, self._users, self._progress = account, deployed, folder, users, progress

    def run(self, options: argparse.Namespace, tests: Path, selection: suite.Selection) -> int:
        tokens_file = self._folder / "tokens.txt"
        if self._users and (left := self._users.recall()):
            self._progress.detail("cleaning up after a run that was killed")
            self._clean_up(self._traces(left.owners), set(), left)
        traces, before, code = self._traces([]), set(), 1
        try:
            self._progress.step(f"{len(selection.run)} tests")
            tokens = self._users.make(_PEOPLE) if self._users else callers.read_tokens(Path(options.tokens), _PEOPLE)
            traces = self._traces(map(callers.subject, tokens))
            before = traces.rows()
            write_whole(tokens_file, "\n".join(tokens), OF_ITS_OWNER_ALONE)
            code = suite.run(REPOSITORY, tests, selection.run, self._environment(tokens_file, tokens[0]))
        finally:
            with signals_put_off("Still cleaning up …"):
                tokens_file.unlink(missing_ok=True)
                _report(self._progress.step, "Cleaning up")
                clean = self._clean_up(traces, before, self._users)
        for name, reason in selection.skipped.items():
            print(f"skipped {name}: {reason}")
        print(f"{len(selection.run)} tests {'passed' if code == 0 else 'run, not all passed'}, {len(selection.skipped)} skipped.")
        return code or (0 if clean else 1)

    def _clean_up(self, traces: Traces, keep: set[Row], made: PoolUsers | None) -> bool:
        """Remove what the callers left, and the users; whether the tables are as before."""
        if traces.owners and not traces.wait_for_the_queues():
            _report(self._progress.detail, "the queues did not become empty; orders of the tests that they still have will be stored and stay")
        orders = traces.remove(keep)
        users = made.remove() if made else 0
        _report(self._progress.detail, f"deleted {orders} orders and {users} users")
        left = len(traces.rows() - keep)
        if left:
            _report(self._progress.detail, f"{left} rows of the tests are still in the tables")
        return left == 0

    def _traces(self, owners: Any) -> Traces:
        client = self._account.client
        return Traces(client("dynamodb"), client("sqs"), self._stack.outputs, tuple(owners))

    def _environment(self, tokens: Path, token: str) -> dict[str, str]:
        outputs = self._folder / "outputs.json"
        write_json(outputs, self._stack.outputs)
        # Without variables of another stack.
        others = {name: value for name, value in self._account.environment().items() if not name.startswith("TWOLANE_")}
        # Some tests run the command line, which sends TWOLANE_TOKEN.
        return {**others, "TWOLANE_OUTPUTS": str(outputs), "TWOLANE_TOKENS": str(tokens), "TWOLANE_TOKEN": token}


def _report(say: Callable[[str], None], text: str) -> None:
    """Print the text, or nothing if the output is closed, for example by `head` or with the terminal: cleaning up must go on."""
    with contextlib.suppress(OSError):
        say(text)


def _pool_users(options: argparse.Namespace, account: Account, deployed: stack.Stack, folder: Path) -> PoolUsers | None:
    """The users to create, or None if tokens are given."""
    if options.tokens:
        return None
    pool = options.user_pool_id or deployed.outputs.get("UserPoolId")
    client = options.user_pool_client_id or deployed.outputs.get("UserPoolClientId")
    if not (pool and client):
        raise Failure(
            f"The stack {deployed.name} has no user pool, so `smoke` cannot create users for the tests.\n"
            f"  Do:   pass --tokens FILE with access tokens of {_PEOPLE} users, one per line, from the stack's issuer (docs/issuers.md).\n"
            "        Or, if the issuer is a Cognito user pool, pass --user-pool-id and --user-pool-client-id."
        )
    return PoolUsers(account.client("cognito-idp"), pool, client, folder / "users.json")


def _table_bytes(account: Account, deployed: stack.Stack) -> int:
    return account.client("dynamodb").describe_table(TableName=deployed.outputs["OrdersTableName"])["Table"]["TableSizeBytes"]
