"""`deploy`, `smoke` and `destroy` on an emulator: real processes, the real template, a Cognito user pool.

Runs on an instance of the local cloud with the functions built, in the environment that `exec` gives:
`python3 infra/local exec --built -- .local/tools/sam/bin/python -m unittest tests.on_a_stack`, with infra/aws and
infra/local on PYTHONPATH. The stack trusts an existing user pool instead of the local issuer.
"""

from __future__ import annotations

import os
import signal
import tempfile
import unittest
import urllib.error
import urllib.request
from typing import Any, TextIO

import boto3
from awscloud.callers import subject
from localcloud.build import architecture
from localcloud.files import write_json
from localcloud.layout import REPOSITORY, Project
from localcloud.processes import wait_until

from .browser import run_in_a_browser
from .cloud import SECONDS, STACK, Cloud, run, start

# Each selects one test, so that no other hides what it leaves.
_QUICK = "sync_lane::answers_a_new_order_with_201"
_STORES_AND_READS = "async_lane::the_status_service_knows_a_queued_order"
_LONG = "hostile_requests::a_trace_header_changes_nothing"


class OnAStack(unittest.TestCase):
    cloud: Cloud
    deployed: str
    before: dict[str, list[str]]

    @classmethod
    def setUpClass(cls) -> None:
        cls.cloud = Cloud()
        cls.before = cls.cloud.inventory()
        code, cls.deployed = cls.deploy(STACK, *cls.cloud.with_the_page())
        if code:
            raise AssertionError(cls.deployed)
        cls.addClassCleanup(cls.destroy_all)

    @classmethod
    def deploy(cls, stack: str, *more: str) -> tuple[int, str]:
        built = str(Project(REPOSITORY).build_folder)
        return run("deploy", "--yes", "--built", built, *cls.cloud.options(), *more, stack=stack)

    @classmethod
    def destroy_all(cls) -> None:
        """What is deployed must go without a trace."""
        code, printed = run("destroy", "--yes", "--delete-data")
        left = cls.cloud.inventory()
        if code or left != cls.before:
            raise AssertionError(f"{printed}\n{cls.before}\n{left}")

    def smoke(self, *patterns: str) -> tuple[int, str]:
        return run("smoke", "--yes", *self.cloud.of_the_pool(), *patterns)

    def output(self, name: str) -> str:
        stack = boto3.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"][0]
        return next(each["OutputValue"] for each in stack["Outputs"] if each["OutputKey"] == name)

    def orders(self) -> list[str]:
        return sorted(item["pk"]["S"] for item in boto3.client("dynamodb").scan(TableName=self.output("OrdersTableName"))["Items"])

    def set_variable(self, function: str, name: str, value: str) -> str:
        """Change one environment variable of a function; what it was."""
        client, function = boto3.client("lambda"), self.output(function)
        variables: dict[str, str] = client.get_function_configuration(FunctionName=function)["Environment"]["Variables"]
        client.update_function_configuration(FunctionName=function, Environment={"Variables": {**variables, name: value}})
        return variables[name]

    def assert_nothing_is_left(self, users: list[str], orders: list[str]) -> None:
        self.assertEqual(self.cloud.users(), users)
        self.assertEqual(self.orders(), orders)
        self.assertEqual(boto3.client("dynamodb").scan(TableName=self.output("ConnectionsTableName"))["Items"], [])
        self.assertEqual(list((REPOSITORY / ".local" / "aws").glob(f"*{STACK}/tokens.txt")), [])

    def test_deploy_prints_the_outputs_and_what_to_do_next(self) -> None:
        outputs = self.deployed.rpartition("Outputs:")[2]

        for shown in (self.output("OrdersTableName"), self.output("ApiUrl"),
                      f"make smoke STACK={STACK} ENDPOINT_URL={self.cloud.endpoint}", f"make destroy STACK={STACK}"):  # fmt: skip
            self.assertIn(shown, outputs)

    def test_what_was_built_for_another_processor_is_not_deployed(self) -> None:
        other = "arm64" if architecture() == "x86_64" else "x86_64"

        code, printed = self.deploy(STACK, "--parameter", f"Architecture={other}")

        self.assertEqual(code, 1, printed)
        self.assertIn(f"were built for {architecture()}, but the parameter Architecture is {other}", printed)
        self.assertIn(f"make build ARCHITECTURE={other}", printed)
        self.assertNotIn("Deploying", printed)

    def test_smoke_passes_with_new_users_and_leaves_nothing(self) -> None:
        # Not a user of the tests.
        boto3.client("dynamodb").put_item(TableName=self.output("OrdersTableName"), Item={"pk": {"S": "customer#1"}, "orderId": {"S": "1"}})
        self.addCleanup(
            boto3.client("dynamodb").delete_item, TableName=self.output("OrdersTableName"), Key={"pk": {"S": "customer#1"}}
        )
        users = self.cloud.users()

        code, printed = self.smoke()

        self.assertEqual(code, 0, printed)
        self.assertIn("US cent", printed.partition("running")[0])
        self.assertRegex(printed, r"deleted \d{3,} orders and 7 users")
        self.assertIn("skipped poison_messages::fail_alone: ", printed)
        self.assert_nothing_is_left(users, ["customer#1"])

    def test_smoke_leaves_nothing_when_a_test_fails_with_an_order_in_the_queue(self) -> None:
        users = self.cloud.users()
        # Reading fails at once, while the queue has the order.
        table = self.set_variable("GetOrderFunctionName", "ORDERS_TABLE_NAME", "nowhere")
        self.addCleanup(self.set_variable, "GetOrderFunctionName", "ORDERS_TABLE_NAME", table)

        code, printed = self.smoke(_STORES_AND_READS)

        self.assertEqual(code, 101, printed)
        self.assertIn("deleted 1 orders and 7 users", printed)
        self.assert_nothing_is_left(users, [])

    def test_smoke_leaves_nothing_when_it_is_interrupted(self) -> None:
        users = self.cloud.users()
        for number in (signal.SIGINT, signal.SIGTERM):
            process = start("smoke", "--yes", *self.cloud.of_the_pool(), _LONG)
            self.addCleanup(process.kill)
            self.assertTrue(wait_until(lambda: len(self.orders()) > 2, SECONDS), "it places orders")

            process.send_signal(number)
            assert process.stdout is not None, "stdout is a pipe"
            printed = _until(process.stdout, "Cleaning up")
            # A second interruption: cleaning up goes on.
            process.send_signal(number)
            printed += process.communicate(timeout=SECONDS)[0]

            self.assertEqual(process.returncode, 128 + number, printed)
            self.assertIn("Still cleaning up", printed)
            self.assert_nothing_is_left(users, [])

    def test_smoke_leaves_nothing_when_its_output_is_closed(self) -> None:
        users = self.cloud.users()
        process = start("smoke", "--yes", *self.cloud.of_the_pool(), _LONG)
        self.addCleanup(process.kill)
        self.assertTrue(wait_until(lambda: len(self.orders()) > 2, SECONDS), "it places orders")

        assert process.stdout is not None, "stdout is a pipe"
        process.stdout.close()

        self.assertEqual(process.wait(SECONDS), 128 + signal.SIGPIPE)
        self.assert_nothing_is_left(users, [])

    def test_smoke_cleans_up_after_a_run_that_was_killed(self) -> None:
        users = self.cloud.users()
        process = start("smoke", "--yes", *self.cloud.of_the_pool(), _STORES_AND_READS)
        self.addCleanup(process.kill)
        self.assertTrue(wait_until(lambda: bool(self.orders()), SECONDS), "it places orders")
        process.kill()
        process.communicate(timeout=SECONDS)
        self.assertNotEqual(self.cloud.users(), users)

        code, printed = self.smoke(_QUICK)

        self.assertEqual(code, 0, printed)
        self.assertIn("cleaning up after a run that was killed", printed)
        self.assert_nothing_is_left(users, [])

    def test_smoke_with_tokens_leaves_what_their_owners_had(self) -> None:
        tokens = [self.cloud.token(f"person-{number}") for number in range(7)]
        first = subject(tokens[0])
        # The last owner's name begins with another's.
        orders = [f"{first}#of-before", f"{first}#and-son#of-before"]
        socket = {"pk": {"S": first}, "sk": {"S": "open-before"}}
        kept = [("OrdersTableName", {"pk": {"S": order}}) for order in orders] + [("ConnectionsTableName", socket)]
        for table, key in kept:
            boto3.client("dynamodb").put_item(TableName=self.output(table), Item=key)
            self.addCleanup(boto3.client("dynamodb").delete_item, TableName=self.output(table), Key=key)
        with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
            file.write("\n".join(tokens))
            file.flush()

            code, printed = run("smoke", "--yes", "--tokens", file.name, _QUICK)

        self.assertEqual(code, 0, printed)
        self.assertIn("deleted 1 orders and 0 users", printed)
        self.assertEqual(self.orders(), sorted(orders))
        self.assertEqual(boto3.client("dynamodb").scan(TableName=self.output("ConnectionsTableName"))["Items"], [socket])

    def test_smoke_cleans_up_after_a_run_that_was_killed_while_it_created_users_in_another_pool(self) -> None:
        pool = self.cloud.cognito.create_user_pool(PoolName="others")["UserPool"]["Id"]
        self.addCleanup(self.cloud.cognito.delete_user_pool, UserPoolId=pool)
        self.cloud.cognito.admin_create_user(UserPoolId=pool, Username="twolane-smoke-killed-0", MessageAction="SUPPRESS")
        record = REPOSITORY / ".local" / "aws" / f"000000000000-{os.environ['AWS_REGION']}-{STACK}" / "users.json"
        write_json(record, {"pool": pool, "users": ["twolane-smoke-killed-0", "twolane-smoke-killed-1"], "owners": []})
        users = self.cloud.users()

        code, printed = self.smoke(_QUICK)

        self.assertEqual(code, 0, printed)
        self.assertIn("deleted 0 orders and 1 users", printed)
        self.assertEqual(self.cloud.cognito.list_users(UserPoolId=pool)["Users"], [])
        self.assert_nothing_is_left(users, [])

    def test_users_of_the_pool_sign_in_on_the_page_and_place_orders(self) -> None:
        url = self.output("PageUrl")
        self.assertIn(f"The page is uploaded: {url}/", self.deployed)
        self.cloud.allow_sign_in(f"{url}/signed-in.html")
        self.addCleanup(self.delete_orders)

        code, printed = run_in_a_browser("sign_in.mjs", {
            "url": f"{url}/", "apiUrl": self.output("ApiUrl"), "tokenUrl": f"{self.cloud.endpoint}/oauth2/token",
            "username": "visitor", "password": self.cloud.person("visitor"),
        })  # fmt: skip

        self.assertEqual(code, 0, printed)

    def delete_orders(self) -> None:
        """Delete all orders, once no socket is open."""
        client, connections = boto3.client("dynamodb"), self.output("ConnectionsTableName")
        self.assertTrue(wait_until(lambda: not client.scan(TableName=connections)["Items"], SECONDS), "sockets are closed")
        for order in self.orders():
            client.delete_item(TableName=self.output("OrdersTableName"), Key={"pk": {"S": order}})

    def test_only_the_distribution_reads_the_page_and_an_upload_deletes_what_is_not_of_it(self) -> None:
        bucket, files = self.output("PageBucketName"), boto3.client("s3")
        files.put_object(Bucket=bucket, Key="old.js", Body=b"")

        code, printed = run("page", *self.cloud.metadata())

        self.assertEqual(code, 0, printed)
        names = [each["Key"] for each in files.list_objects_v2(Bucket=bucket)["Contents"]]
        self.assertIn("index.html", names)
        self.assertNotIn("old.js", names)
        with self.assertRaises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(f"{self.cloud.endpoint}/{bucket}/index.html", timeout=10)
        self.assertEqual(refused.exception.code, 403)

    def test_smoke_asks_for_tokens_without_a_pool(self) -> None:
        code, printed = run("smoke", "--yes")

        self.assertEqual(code, 1)
        self.assertIn("has no user pool, so", printed)
        self.assertIn("--tokens FILE", printed)

    def test_protected_tables_outlive_their_stack_and_destroy_prints_how_to_remove_them(self) -> None:
        stack, before = f"{STACK}-protected", self.cloud.inventory()
        code, printed = self.deploy(stack, "--config-env", "prod")
        self.assertEqual(code, 0, printed)
        self.assertIn("Receive alarms by email: aws sns subscribe", printed)

        refused, why = run("destroy", "--yes", "--delete-data", stack=stack)
        code, printed = run("destroy", "--yes", stack=stack)

        self.assertEqual((refused, code), (1, 0), why + printed)
        self.assertIn("Protected from deletion: OrdersTable", why)
        self.assertIn(f"make deploy STACK={stack} ENDPOINT_URL={self.cloud.endpoint} PARAMETERS=DeletionProtection=false", why)
        tables = set(self.cloud.inventory()["tables"]) - set(before["tables"])
        kept = {name for name in ("Orders", "Payments", "Shipments", "Stock") for table in tables if f"-{name}Table-" in table}
        self.assertEqual((len(kept), len(tables)), (4, 4), tables)
        client: Any = boto3.client("dynamodb")
        for table in tables:
            self.assertIn(f"aws dynamodb delete-table --table-name {table}", printed)
            client.update_table(TableName=table, DeletionProtectionEnabled=False)
            client.delete_table(TableName=table)
        self.assertEqual(self.cloud.inventory(), before)

    def test_destroying_a_missing_stack_succeeds(self) -> None:
        code, printed = run("destroy", "--yes", stack="twolane-nowhere")

        self.assertEqual(code, 0, printed)
        self.assertIn("The stack twolane-nowhere does not exist", printed)


def _until(lines: TextIO, text: str) -> str:
    """What comes, up to a line with that text."""
    printed = ""
    while text not in printed and (line := lines.readline()):
        printed += line
    return printed
