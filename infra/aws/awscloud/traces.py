"""Finds and removes what the tests leave in a stack: orders, open sockets, holds, payments, accounts and stock of their owners."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from localcloud.processes import wait_until

# Consecutive counts that must be zero: SQS updates them now and then, and they exclude messages of a running function.
_LOOKS = 3
_BETWEEN_LOOKS_SECONDS = 2.0
_DRAIN_SECONDS = 90.0
# Source: Amazon DynamoDB API Reference, BatchWriteItem.
_MOST_IN_A_BATCH = 25
_COUNTS = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible", "ApproximateNumberOfMessagesDelayed")


_ORDERS, _CONNECTIONS = "OrdersTableName", "ConnectionsTableName"
_STOCK, _PAYMENTS, _SHIPMENTS = "StockTableName", "PaymentsTableName", "ShipmentsTableName"
_TABLES = (_ORDERS, _CONNECTIONS, _STOCK, _PAYMENTS, _SHIPMENTS)
# Not the deadline queue: its messages wait for minutes, and then find their orders decided.
_QUEUES = ("OrdersQueueUrl", "SubmissionsQueueUrl", "OutcomesQueueUrl", "StockQueueUrl", "PaymentsQueueUrl", "ShipmentsQueueUrl")
# Created by tests: tests/testkit/order_bodies.rs, new_sku.
_SKU_OF_TESTS = re.compile("SKU-[0-9a-f]{32}")
# Holds in these states have taken units or money. Source: crates/holds, HoldState.
_TAKING = ("HELD", "DONE")
# The table's output, and the key.
Row = tuple[str, ...]


@dataclass(frozen=True)
class Traces:
    """The traces of some owners in the stack with these outputs."""

    dynamodb: Any
    sqs: Any
    outputs: Mapping[str, str]
    owners: tuple[str, ...]

    def rows(self) -> set[Row]:
        """Keys of their orders, sockets, holds, payments and accounts."""
        return self._orders() | self._connections() | self._of_services() if self.owners else set()

    def remove(self, keep: set[Row]) -> int:
        """Delete all their rows except `keep`; returns the number of orders."""
        rows = sorted(self.rows() - keep)
        for row in rows:
            if row[0] == _SHIPMENTS:
                self._give_back(row)
        for table in _TABLES:
            self._delete(self.outputs[table], [_key(row) for row in rows if row[0] == table])
        return sum(row[0] == _ORDERS for row in rows)

    def _orders(self) -> set[Row]:
        # `{owner}#{orderId}`: an owner may contain #, an order id does not.
        return {(_ORDERS, key) for key in self._keys(_ORDERS) if key.rpartition("#")[0] in self.owners}

    def _of_services(self) -> set[Row]:
        return {(table, key) for table in (_STOCK, _PAYMENTS, _SHIPMENTS) for key in self._keys(table) if self._is_theirs(table, key)}

    def _is_theirs(self, table: str, key: str) -> bool:
        """Keys are `order#{owner}#{orderId}`, `payment#{owner}#{paymentId}` and `counter#…`: a SKU, `{owner}#{currency}`, or a day."""
        kind, _, rest = key.partition("#")
        if kind == "counter" and table != _PAYMENTS:
            return table == _STOCK and _SKU_OF_TESTS.fullmatch(rest) is not None
        return rest.rpartition("#")[0] in self.owners

    def _keys(self, table: str) -> set[str]:
        pages = self.dynamodb.get_paginator("scan").paginate(TableName=self.outputs[table], ProjectionExpression="pk", ConsistentRead=True)
        return {item["pk"]["S"] for page in pages for item in page["Items"]}

    def _give_back(self, row: Row) -> None:
        """Give what a hold has taken back to its counters: all owners share the days of shipments."""
        table = self.outputs[row[0]]
        hold = self.dynamodb.get_item(TableName=table, Key=_key(row), ConsistentRead=True).get("Item", {})
        if hold.get("state", {}).get("S") in _TAKING:
            for counter, amount in hold["claims"]["M"].items():
                self.dynamodb.update_item(
                    TableName=table, Key={"pk": {"S": f"counter#{counter}"}}, UpdateExpression="ADD available :amount",
                    ExpressionAttributeValues={":amount": amount},
                )  # fmt: skip

    def _connections(self) -> set[Row]:
        found: set[Row] = set()
        for owner in self.owners:
            pages = self.dynamodb.get_paginator("query").paginate(
                TableName=self.outputs[_CONNECTIONS], KeyConditionExpression="pk = :owner",
                ExpressionAttributeValues={":owner": {"S": owner}}, ConsistentRead=True,
            )  # fmt: skip
            found |= {(_CONNECTIONS, row["pk"]["S"], row["sk"]["S"]) for page in pages for row in page["Items"]}
        return found

    def wait_for_the_queues(self) -> bool:
        """Wait until the queues are empty; returns whether they are. On a busy stack they may never be."""
        quiet = 0

        def drained() -> bool:
            nonlocal quiet
            quiet = 0 if self._waiting() else quiet + 1
            if 0 < quiet < _LOOKS:
                time.sleep(_BETWEEN_LOOKS_SECONDS)
            return quiet >= _LOOKS

        return wait_until(drained, _DRAIN_SECONDS)

    def _waiting(self) -> int:
        answers = [self.sqs.get_queue_attributes(QueueUrl=self.outputs[queue], AttributeNames=list(_COUNTS)) for queue in _QUEUES]
        return sum(int(answer["Attributes"][name]) for answer in answers for name in _COUNTS)

    def _delete(self, table: str, keys: list[dict[str, Any]]) -> None:
        for batch in _batches(keys):
            left = {table: [{"DeleteRequest": {"Key": key}} for key in batch]}
            while left:
                left = self.dynamodb.batch_write_item(RequestItems=left).get("UnprocessedItems")


def _key(row: Row) -> dict[str, Any]:
    return {name: {"S": value} for name, value in zip(("pk", "sk"), row[1:])}


def _batches(keys: list[dict[str, Any]]) -> Iterator[Iterable[dict[str, Any]]]:
    for start in range(0, len(keys), _MOST_IN_A_BATCH):
        yield keys[start : start + _MOST_IN_A_BATCH]
