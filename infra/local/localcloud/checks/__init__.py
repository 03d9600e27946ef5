"""Checks and tests: linters, the audit of dependencies, and the suites."""
