"""Commands to suggest to the user."""

from __future__ import annotations

import argparse
import shlex


def make(target: str, options: argparse.Namespace, *more: str) -> str:
    """The make command that runs another target on the same stack."""
    named = [("CONFIG_ENV", options.config_env if options.config_env != "dev" else None), ("STACK", options.stack_name),
             ("REGION", options.region), ("PROFILE", options.profile), ("ENDPOINT_URL", options.endpoint_url)]  # fmt: skip
    return " ".join(["make", target, *(f"{variable}={shlex.quote(value)}" for variable, value in named if value), *more])
