"""Checks the Rust dependencies: licences, sources, bans, known vulnerabilities, and unused ones."""

from __future__ import annotations

import subprocess
from pathlib import Path

from .. import commands, tools
from ..environment import without_aws
from ..failure import Failure

# After this time, the database counts as unreachable.
_FETCH_SECONDS = 120


def run(target: commands.Target, advisories_required: bool) -> int:
    """Install cargo-deny and cargo-shear, and check the workspace."""
    commands.ensure_tools(target.project, (tools.CARGO,))
    audit(target.project.root, advisories_required)
    return 0


def audit(root: Path, advisories_required: bool) -> None:
    """Check the workspace in a folder; fails with the violations. Needs the tool set `cargo`."""
    if missing := [name for name in ("Cargo.toml", "deny.toml") if not (root / name).is_file()]:
        raise Failure(f"{root} has no {' and no '.join(missing)}.\n  Do:   name the folder of a workspace: --project FOLDER")
    _deny(root, "bans", "licenses", "sources")
    _unused(root)
    reason = _fetch_advisories(root)
    if reason is None:
        _deny(root, "advisories")
    elif advisories_required:
        raise Failure(f"The advisory database cannot be fetched, but --require-advisories requires it:\n{reason}")
    else:
        print(f"advisories SKIPPED: dependencies were not checked for known vulnerabilities, because\n{reason}", flush=True)


def _deny(root: Path, *checks: str) -> None:
    command = _cargo_deny("check", "--hide-inclusion-graph", *checks)
    if subprocess.run(command, cwd=root, env=without_aws(), check=False).returncode:
        raise Failure("cargo-deny found the violations above. deny.toml has the rules and their reasons.")


def _unused(root: Path) -> None:
    command = [str(tools.bin_folder(tools.CARGO) / "cargo-shear"), "shear", "--locked"]
    done = subprocess.run(command, cwd=root, env=without_aws(), capture_output=True, text=True, check=False)
    if done.returncode:
        raise Failure(f"cargo-shear failed, or found unused or misplaced dependencies.\n{done.stdout}{done.stderr}")
    print("unused and misplaced dependencies ok", flush=True)


def _fetch_advisories(root: Path) -> str | None:
    """Update the advisory database; returns the reason if that fails, else None."""
    environment = {**without_aws(), "GIT_TERMINAL_PROMPT": "0"}
    try:
        done = subprocess.run(
            _cargo_deny("fetch", "db"), cwd=root, env=environment, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=_FETCH_SECONDS, check=False,
        )
    except subprocess.TimeoutExpired:
        return f"  it was not fetched within {_FETCH_SECONDS} s"
    return "\n".join(f"  {line}" for line in done.stderr.splitlines()) if done.returncode else None


def _cargo_deny(*arguments: str) -> list[str]:
    # Use the versions of the lock file.
    return [str(tools.bin_folder(tools.CARGO) / "cargo-deny"), "--locked", *arguments]
