"""The samples of the demonstration, and the path of the program that it builds."""

from __future__ import annotations

import contextlib
import csv
import io
import json
import os
import tempfile
import unittest
from decimal import Decimal
from pathlib import Path
from unittest import mock

from localcloud import demo
from localcloud.build_progress import BuildProgress
from localcloud.layout import Project

# From Cargo: a library, a program, the end.
_REPORT = """{"reason":"compiler-artifact","target":{"name":"lanes"},"executable":null}
{"reason":"compiler-artifact","target":{"name":"twolane"},"executable":"/shared/target/debug/twolane"}
{"reason":"build-finished","success":true}
"""


_SAMPLES = Path(__file__).resolve().parents[3] / "samples"


class Samples(unittest.TestCase):
    def test_stock_and_accounts_cover_every_sample_order_but_one_each(self) -> None:
        with open(_SAMPLES / "stock.csv", encoding="utf-8", newline="") as file:
            stock = {row["sku"]: int(row["units"]) for row in csv.DictReader(file)}
        accounts = {currency: int(Decimal(amount.replace(".", ""))) for currency, amount in demo._ACCOUNTS.items()}
        lines = (_SAMPLES / "orders.jsonl").read_text(encoding="utf-8").splitlines()
        orders = {line["name"]: line["order"] for line in map(json.loads, lines)}
        refused: dict[str, list[str]] = {"stock": [], "money": []}
        for name, order in orders.items():
            if order["currency"] not in accounts:
                continue
            for item in order["items"]:
                stock[item["sku"]] -= item["quantity"]
            total = sum(item["quantity"] * item["unitPriceMinor"] for item in order["items"])
            accounts[order["currency"]] -= total
            if any(stock[item["sku"]] < 0 for item in order["items"]):
                refused["stock"].append(name)
            if accounts[order["currency"]] < 0:
                refused["money"].append(name)
                accounts[order["currency"]] += total

        self.assertEqual(refused, {"stock": ["sold-out"], "money": ["grand-piano"]})


class CommandLine(unittest.TestCase):
    def test_is_where_cargo_says_whatever_folder_the_users_settings_name(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            cargo = Path(folder, "cargo")
            cargo.write_text(f"#!/bin/sh\ncat <<'END'\n{_REPORT}END\n")
            cargo.chmod(0o755)
            environment = {"PATH": f"{folder}{os.pathsep}{os.defpath}", "CARGO_TARGET_DIR": "elsewhere"}

            with contextlib.redirect_stdout(io.StringIO()):
                program = demo._build_command_line(Project(Path(folder)), environment)

        self.assertEqual(program, "/shared/target/debug/twolane")


class ProgressOfABuild(unittest.TestCase):
    def test_says_once_that_it_waits_and_every_ten_seconds_what_it_compiles(self) -> None:
        said: list[str] = []
        waits = "    Blocking waiting for file lock on "
        output = [f"{waits}package cache", f"{waits}build directory", "   Compiling syn v2.0.1", "   Compiling ring v0.17.14", "   Compiling serde v1.0.0"]

        with mock.patch("time.monotonic", side_effect=[0.0, 1.0, 11.0, 11.0, 12.0]):
            progress = BuildProgress(said.append)
            for line in output:
                progress.read(line)

        self.assertEqual(said, ["waiting until another build of this project ends", "compiling ring (2 crates so far)"])
