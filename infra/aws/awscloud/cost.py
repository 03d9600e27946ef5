"""What a smoke test costs, at list prices, before it begins."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomlkit
from localcloud.failure import Failure
from localcloud.layout import REPOSITORY

_PRICES = REPOSITORY / "crates" / "twolane-report" / "prices" / "us-east-1.toml"
_MEBIBYTE = 1 << 20
_LAST_COUNT = "The table's size is that of AWS's last count, up to six hours ago."
# A strongly consistent read of DynamoDB, in bytes. Source: Amazon DynamoDB Developer Guide, "DynamoDB read consistency".
_READ_UNIT_BYTES = 4096
# Past this, each look through the table takes longer than a test waits.
_MOST_TABLE_BYTES = 64 * _MEBIBYTE


@dataclass(frozen=True)
class Usage:
    """What all the tests use: what was counted on the local cloud (1 200 invocations, 870 orders), doubled and more, since a
    slower stack is asked more often how an order stands. The share of the bus lane is an estimate: about 100 orders, each with
    seven invocations, twelve writes and six queues."""

    rest_requests: int = 5000
    lambda_invocations: int = 5000
    # At 256 MB, cold starts and a slow table included.
    lambda_seconds_each: float = 0.2
    websocket_messages: int = 1000
    websocket_minutes: int = 100
    sqs_requests: int = 12000
    writes: int = 6000
    reads: int = 5000
    # Looks through the whole orders table: whoever's an order is, it must be there once.
    scans: int = 400


@dataclass(frozen=True)
class Estimate:
    """What it comes to, in US dollars, and the day of the prices."""

    usd: float
    as_of: str
    region: str

    def __str__(self) -> str:
        cents = max(self.usd * 100, 1)
        return (
            f"A run costs about {cents:.0f} US cent{'s' if cents >= 1.5 else ''}: requests, functions, queue and tables at list prices of "
            f"{self.region} of {self.as_of}, without\nfree tier. Logs, traces, metrics and a user pool's users may add as much again.\n{_LAST_COUNT}"
        )


def estimate(table_bytes: int, usage: Usage = Usage()) -> Estimate:
    """The estimate for a stack whose orders table has that size; fails when it is too large to be looked through."""
    if table_bytes > _MOST_TABLE_BYTES:
        raise Failure(
            f"The orders table has {table_bytes / _MEBIBYTE:.0f} MiB, and the tests look through it about {usage.scans} times.\n"
            f"  Why:  {_LAST_COUNT} Above {_MOST_TABLE_BYTES // _MEBIBYTE} MiB that takes too long and costs too much.\n"
            "  Do:   run them on a stack of the same template with fewer orders, as make deploy CONFIG_ENV=dev makes one."
        )
    document: Any = tomlkit.parse(_PRICES.read_text(encoding="utf-8")).unwrap()
    usd = document["usd"]
    # Every scan reads a unit at least.
    reads = usage.reads + usage.scans * (1 + table_bytes / _READ_UNIT_BYTES)
    millions = {
        "rest_requests_per_million": usage.rest_requests,
        "lambda_requests_per_million": usage.lambda_invocations,
        "websocket_messages_per_million": usage.websocket_messages,
        "websocket_connection_minutes_per_million": usage.websocket_minutes,
        "sqs_requests_per_million": usage.sqs_requests,
        "dynamodb_write_units_per_million": usage.writes,
        "dynamodb_read_units_per_million": reads,
    }
    requests = sum(usd[price] * count / 1e6 for price, count in millions.items())
    functions = usd["lambda_gb_second"] * usage.lambda_invocations * usage.lambda_seconds_each / 4
    return Estimate(requests + functions, document["as_of"], document["region"])
