"""What the tests leave in a stack: orders and open sockets of their own people, and how that is removed again."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from localcloud.processes import wait_until

# SQS counts its messages from time to time, and a function at work is not counted: so many looks must find nothing.
_LOOKS = 3
_BETWEEN_LOOKS_SECONDS = 2.0
_DRAIN_SECONDS = 90.0
# Source: Amazon DynamoDB API Reference, BatchWriteItem.
_MOST_IN_A_BATCH = 25
_COUNTS = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible", "ApproximateNumberOfMessagesDelayed")


_ORDERS, _CONNECTIONS = "OrdersTableName", "ConnectionsTableName"
# The output that names its table, and its key.
Row = tuple[str, ...]


@dataclass(frozen=True)
class Traces:
    """Those of some owners, in the stack that has the outputs."""

    dynamodb: Any
    sqs: Any
    outputs: Mapping[str, str]
    owners: tuple[str, ...]

    def rows(self) -> set[Row]:
        """Their orders, and the rows of their sockets."""
        return self._orders() | self._connections() if self.owners else set()

    def remove(self, keep: set[Row]) -> int:
        """Delete all that is theirs but what is to keep; how many orders there were."""
        rows = sorted(self.rows() - keep)
        for table in (_ORDERS, _CONNECTIONS):
            self._delete(self.outputs[table], [_key(row) for row in rows if row[0] == table])
        return sum(row[0] == _ORDERS for row in rows)

    def _orders(self) -> set[Row]:
        pages = self.dynamodb.get_paginator("scan").paginate(TableName=self.outputs[_ORDERS], ProjectionExpression="pk", ConsistentRead=True)
        keys = {item["pk"]["S"] for page in pages for item in page["Items"]}
        # `{owner}#{orderId}`: an owner may have a # in it, an order's id has none.
        return {(_ORDERS, key) for key in keys if key.rpartition("#")[0] in self.owners}

    def _connections(self) -> set[Row]:
        found: set[Row] = set()
        for owner in self.owners:
            pages = self.dynamodb.get_paginator("query").paginate(
                TableName=self.outputs[_CONNECTIONS], KeyConditionExpression="pk = :owner",
                ExpressionAttributeValues={":owner": {"S": owner}}, ConsistentRead=True,
            )  # fmt: skip
            found |= {(_CONNECTIONS, row["pk"]["S"], row["sk"]["S"]) for page in pages for row in page["Items"]}
        return found

    def wait_for_the_queue(self) -> bool:
        """Wait until no order is on its way; whether that came about. A busy stack's queue may never be empty."""
        quiet = 0

        def drained() -> bool:
            nonlocal quiet
            quiet = 0 if self._waiting() else quiet + 1
            if 0 < quiet < _LOOKS:
                time.sleep(_BETWEEN_LOOKS_SECONDS)
            return quiet >= _LOOKS

        return wait_until(drained, _DRAIN_SECONDS)

    def _waiting(self) -> int:
        url = self.outputs["OrdersQueueUrl"]
        counts = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=list(_COUNTS))["Attributes"]
        return sum(int(counts[name]) for name in _COUNTS)

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
