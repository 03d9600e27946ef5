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


@dataclass(frozen=True)
class Traces:
    """Those of some owners, in the stack that has the outputs."""

    dynamodb: Any
    sqs: Any
    outputs: Mapping[str, str]
    owners: tuple[str, ...]

    def orders(self) -> set[str]:
        """The keys of their orders."""
        prefixes = tuple(f"{owner}#" for owner in self.owners)
        if not prefixes:
            return set()
        pages = self.dynamodb.get_paginator("scan").paginate(
            TableName=self.outputs["OrdersTableName"], ProjectionExpression="pk", ConsistentRead=True
        )
        return {item["pk"]["S"] for page in pages for item in page["Items"] if item["pk"]["S"].startswith(prefixes)}

    def connections(self) -> list[dict[str, Any]]:
        """The keys of their sockets' rows."""
        pages = self.dynamodb.get_paginator("query")
        table = self.outputs["ConnectionsTableName"]
        found = []
        for owner in self.owners:
            rows = pages.paginate(
                TableName=table, KeyConditionExpression="pk = :owner", ExpressionAttributeValues={":owner": {"S": owner}},
                ConsistentRead=True,
            )  # fmt: skip
            found += [{"pk": row["pk"], "sk": row["sk"]} for page in rows for row in page["Items"]]
        return found

    def remove(self, keep: set[str]) -> int:
        """Delete all their orders but those to keep, and their rows of sockets; how many orders there were."""
        orders = self.orders() - keep
        self._delete(self.outputs["OrdersTableName"], [{"pk": {"S": key}} for key in sorted(orders)])
        self._delete(self.outputs["ConnectionsTableName"], self.connections())
        return len(orders)

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


def _batches(keys: list[dict[str, Any]]) -> Iterator[Iterable[dict[str, Any]]]:
    for start in range(0, len(keys), _MOST_IN_A_BATCH):
        yield keys[start : start + _MOST_IN_A_BATCH]
