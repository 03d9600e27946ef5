"""Estimates the cost of a smoke test at list prices, before it begins."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomlkit
from localcloud.failure import Failure
from localcloud.layout import REPOSITORY

_PRICES = REPOSITORY / "crates" / "twolane-report" / "prices" / "us-east-1.toml"
_MEBIBYTE = 1 << 20
_LAST_COUNT = "AWS updates the table's size about every six hours."
# Strongly consistent. Source: Amazon DynamoDB Developer Guide, "DynamoDB read consistency".
_READ_UNIT_BYTES = 4096
# Scans of larger tables take longer than a test waits.
_MOST_TABLE_BYTES = 64 * _MEBIBYTE


@dataclass(frozen=True)
class Usage:
    """What all the tests use, at most: twice what was counted on the local cloud (1 200 invocations, 870 orders). Tests poll a
    slower stack more often. The share of the bus lane is an estimate: about 100 orders, each with seven invocations,
    twelve writes and six queues."""

    rest_requests: int = 5000
    lambda_invocations: int = 5000
    # At 256 MB, including cold starts and a slow table.
    lambda_seconds_each: float = 0.2
    websocket_messages: int = 1000
    websocket_minutes: int = 100
    sqs_requests: int = 12000
    writes: int = 6000
    reads: int = 5000
    # To check that an order is stored once among all owners.
    scans: int = 400


@dataclass(frozen=True)
class Estimate:
    """The estimated cost in US dollars, and the date of the prices."""

    usd: float
    as_of: str
    region: str

    def __str__(self) -> str:
        cents = max(self.usd * 100, 1)
        return (
            f"A run costs about {cents:.0f} US cent{'s' if cents >= 1.5 else ''}: requests, functions, queue and tables at list prices of "
            f"{self.region} of {self.as_of}, without\nfree tier. Logs, traces, metrics and users of a user pool may double that.\n{_LAST_COUNT}"
        )


def estimate(table_bytes: int, usage: Usage = Usage()) -> Estimate:
    """The estimate for a stack with an orders table of `table_bytes`; fails if the table is too large to scan."""
    if table_bytes > _MOST_TABLE_BYTES:
        raise Failure(
            f"The orders table has {table_bytes / _MEBIBYTE:.0f} MiB, and the tests scan it about {usage.scans} times.\n"
            f"  Why:  scans of more than {_MOST_TABLE_BYTES // _MEBIBYTE} MiB take too long and cost too much. {_LAST_COUNT}\n"
            "  Do:   run them on a stack of the same template with fewer orders; make deploy CONFIG_ENV=dev creates one."
        )
    document: Any = tomlkit.parse(_PRICES.read_text(encoding="utf-8")).unwrap()
    usd = document["usd"]
    # Every scan reads at least one unit.
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
