"""The decisions of `smoke` before it begins."""

from __future__ import annotations

import json
import tempfile
import unittest
from base64 import urlsafe_b64encode
from pathlib import Path

from awscloud import callers, cost, suite
from localcloud.failure import Failure


class Selection(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.tests, self.skipped = Path(folder.name) / "e2e-binary", Path(folder.name) / "skipped.json"
        self.tests.write_text("#!/bin/sh\nprintf 'lane::passes: test\\nlane::local: test\\nlane: benchmark\\n'\n")
        self.tests.chmod(0o755)
        self.skip("lane::local")

    def skip(self, *names: str) -> None:
        self.skipped.write_text(json.dumps({"needs a key": names}))

    def select(self, *patterns: str) -> suite.Selection:
        return suite.select(self.tests, list(patterns), self.skipped)

    def test_a_local_test_is_skipped_with_its_reason(self) -> None:
        selected = self.select()

        self.assertEqual((selected.run, selected.skipped), (["lane::passes"], {"lane::local": "needs a key"}))

    def test_a_name_without_a_test_fails(self) -> None:
        self.skip("lane::renamed")

        with self.assertRaisesRegex(Failure, "skipped tests do not exist: lane::renamed"):
            self.select()

    def test_patterns_choose_and_must_choose_something(self) -> None:
        self.assertEqual(self.select("pass").run, ["lane::passes"])
        self.assertEqual(self.select("lane").run, ["lane::passes"])
        with self.assertRaises(Failure):
            # sync_lane is a part of async_lane.
            self.select("ane")
        with self.assertRaisesRegex(Failure, "No test that can run"):
            self.select("local")


class Cost(unittest.TestCase):
    def test_a_larger_table_costs_more_until_it_is_too_large(self) -> None:
        small, large = cost.estimate(0), cost.estimate(60 << 20)

        self.assertLess(0, small.usd)
        self.assertLess(small.usd, large.usd)
        self.assertIn("US cent", str(small))
        with self.assertRaisesRegex(Failure, "with fewer orders"):
            cost.estimate(1 << 30)

    def test_every_use_is_priced(self) -> None:
        nothing = cost.Usage(**dict.fromkeys(cost.Usage.__dataclass_fields__, 0))
        self.assertEqual(cost.estimate(0, nothing).usd, 0)
        for field in cost.Usage.__dataclass_fields__:
            used = cost.Usage(**{**vars(nothing), field: 1000})
            if field.startswith("lambda"):
                used = cost.Usage(**{**vars(used), "lambda_invocations": 1000})
            self.assertGreater(cost.estimate(0, used).usd, 0, field)


class Tokens(unittest.TestCase):
    def test_too_few_users_are_refused(self) -> None:
        def token(subject: str) -> str:
            return f"e30.{urlsafe_b64encode(json.dumps({'sub': subject}).encode()).decode().rstrip('=')}.x"

        with tempfile.NamedTemporaryFile("w") as file:
            file.write(f"{token('alice')}\n{token('bob')}\n{token('alice')}\n")
            file.flush()

            self.assertEqual(callers.read_tokens(Path(file.name), 2), [token("alice"), token("bob")])
            with self.assertRaisesRegex(Failure, "tokens of 2 users, but the tests need 3"):
                callers.read_tokens(Path(file.name), 3)

    def test_a_token_without_a_subject_is_refused(self) -> None:
        for payload in ("[]", "5", '{"sub": 5}', "{}", '{"sub": null}', "no JSON"):
            with self.subTest(payload), self.assertRaisesRegex(Failure, "not a JWT with a subject"):
                callers.subject(f"e30.{urlsafe_b64encode(payload.encode()).decode()}.x")

    def test_a_text_that_is_not_a_token_is_refused_without_showing_it(self) -> None:
        with self.assertRaisesRegex(Failure, "not a JWT") as raised:
            callers.subject("secretsecretsecretsecret")
        self.assertNotIn("secretsecretsecret", str(raised.exception))
