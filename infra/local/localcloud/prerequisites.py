"""Checks what the machine needs before tools are installed or functions are built."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
import sys

from .failure import Failure

# Minimum of the AWS SDK for Rust, as in the workspace's `rust-version`.
MINIMUM_RUST = (1, 94, 1)
# Newest that the pinned tools support. Source: the metadata of cfn-lint 1.58.0, Requires-Python.
NEWEST_PYTHON = (3, 14)


def check_python() -> None:
    """Fail if this Python is too new for the tools, or lacks `venv` or `ensurepip`, separate packages on Debian and Ubuntu."""
    newest, this = ".".join(map(str, NEWEST_PYTHON)), ".".join(map(str, sys.version_info[:2]))
    if tuple(sys.version_info[:2]) > NEWEST_PYTHON:
        raise Failure(
            f"Python {this} is too new: the pinned tools run on Python 3.10 to {newest}.\n"
            f"  Do:   install Python {newest} next to it, then run the same command with python{newest}; with make: PYTHON=python{newest}."
        )
    missing = [name for name in ("venv", "ensurepip") if importlib.util.find_spec(name) is None]
    if missing:
        raise Failure(
            f"This Python has no {' and no '.join(missing)}.\n"
            "  Why:  the pinned tools are installed into virtual environments under .local/tools.\n"
            "  Do:   install it (Debian, Ubuntu: sudo apt install python3-venv), then run the same command again."
        )


def check_rust() -> None:
    """Fail if Rust is missing or too old to build the functions."""
    problems = [problem for tool in ("cargo", "rustc") if (problem := _rust_problem(tool))]
    if problems:
        wanted = ".".join(map(str, MINIMUM_RUST))
        raise Failure(
            "\n".join(problems) + "\n"
            f"  Why:  the Lambda functions are Rust programs; they need Rust {wanted} or newer.\n"
            "  Do:   install Rust from https://rustup.rs, or run `rustup update`, then run the same command again."
        )


def _rust_problem(tool: str) -> str | None:
    path = shutil.which(tool)
    if path is None:
        return f"`{tool}` was not found on the PATH."
    answer = subprocess.run([path, "--version"], capture_output=True, text=True, check=False)
    found = re.search(r"(\d+)\.(\d+)\.(\d+)", answer.stdout)
    if answer.returncode != 0 or found is None:
        return f"`{path} --version` failed: {(answer.stderr or answer.stdout).strip()}"
    if tuple(map(int, found.groups())) < MINIMUM_RUST:
        return f"`{path}` is {found.group(0)}: too old."
    return None
