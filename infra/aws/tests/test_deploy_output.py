"""The result of `deploy` is not lost if standard output fails."""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import subprocess
import sys
import unittest
from datetime import datetime, timezone
from typing import Any, cast

from awscloud import deploy
from awscloud.account import Account
from awscloud.stack import Stack
from localcloud.layout import REPOSITORY

_STACK = Stack("twolane-dev", "CREATE_COMPLETE", {"ApiUrl": "https://example.com/live"}, {}, datetime.now(timezone.utc))
_OPTIONS = argparse.Namespace(config_env="dev", stack_name=None, region=None, profile=None, endpoint_url=None)
_ACCOUNT = Account(cast(Any, None), "123456789012", "arn:aws:iam::123456789012:user/me", "eu-central-1", None)

_DEPLOYED = f"""
import sys
sys.path[:0] = [{str(REPOSITORY / "infra" / "aws")!r}, {str(REPOSITORY / "infra" / "local")!r}]
from localcloud.output import until_output_closes
from tests.test_deploy_output import print_result
sys.exit(until_output_closes(print_result, []))
"""


def print_result(_: list[str]) -> int:
    """The end of a deployment, as `python3 infra/aws deploy` runs it."""
    from localcloud.failure import Failure

    try:
        deploy._print_result("The stack is deployed", _STACK, _ACCOUNT, _OPTIONS)
    except Failure as failure:
        print(f"\nerror: {failure}", file=sys.stderr)
        return 1
    return 0


class DeployOutput(unittest.TestCase):
    def test_goes_to_standard_output(self) -> None:
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            self.assertEqual(print_result([]), 0)

        self.assertIn("  ApiUrl  https://example.com/live\n", printed.getvalue())

    @unittest.skipUnless(os.path.exists("/dev/full"), "only Linux has a device that is always full")
    def test_goes_to_standard_error_if_standard_output_fails(self) -> None:
        with open("/dev/full", "w") as full:
            done = subprocess.run([sys.executable, "-c", _DEPLOYED], stdout=full, stderr=subprocess.PIPE, text=True, check=False)

        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("  ApiUrl  https://example.com/live\n", done.stderr)
        self.assertIn("error: Failed to write to standard output: No space left on device. The stack is deployed", done.stderr)
        self.assertNotIn("Traceback", done.stderr)
