"""The one exception that a user is meant to read."""

from __future__ import annotations


class Failure(Exception):
    """What went wrong, why, and what to do about it; printed without a traceback, exit code 1."""
