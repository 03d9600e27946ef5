"""The exception for failures that a user can act on."""

from __future__ import annotations


class Failure(Exception):
    """A failure with the reason and what to do; printed without a traceback, exit code 1."""
