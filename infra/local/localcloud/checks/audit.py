"""The Rust dependencies: licences, sources and bans, known vulnerabilities, and none that nothing uses."""

from __future__ import annotations

import subprocess
from pathlib import Path

from .. import commands, tools
from ..environment import without_aws
from ..failure import Failure

# A database that has not come by then is not reachable.
_FETCH_SECONDS = 120


def run(target: commands.Target, advisories_required: bool) -> int:
    """Install cargo-deny and cargo-machete, and check the workspace."""
    commands.ensure_tools(target.project, (tools.CARGO,))
    audit(target.project.root, advisories_required)
    return 0


def audit(root: Path, advisories_required: bool) -> None:
    """Check the workspace in a folder; fails with what is wrong. The tool set `cargo` must be there."""
    if missing := [name for name in ("Cargo.toml", "deny.toml") if not (root / name).is_file()]:
        raise Failure(f"{root} has no {' and no '.join(missing)}.\n  Do:   name the folder of a workspace: --project FOLDER")
    _deny(root, "bans", "licenses", "sources")
    _machete(root)
    reason = _fetch_advisories(root)
    if reason is None:
        _deny(root, "advisories")
    elif advisories_required:
        raise Failure(f"The advisory database cannot be fetched, and --require-advisories says that it must:\n{reason}")
    else:
        print(f"advisories SKIPPED: nothing was checked against known vulnerabilities, because\n{reason}", flush=True)


def _deny(root: Path, *checks: str) -> None:
    command = _cargo_deny("check", "--hide-inclusion-graph", *checks)
    if subprocess.run(command, cwd=root, env=without_aws(), check=False).returncode:
        raise Failure("cargo-deny found what is written above; the rules, with their reasons, are in deny.toml.")


def _machete(root: Path) -> None:
    command = [str(tools.bin_folder(tools.CARGO) / "cargo-machete")]
    done = subprocess.run(command, cwd=root, env=without_aws(), capture_output=True, text=True, check=False)
    if done.returncode:
        raise Failure(f"cargo-machete: dependencies that no code names.\n{done.stdout}{done.stderr}")
    print("unused dependencies ok", flush=True)


def _fetch_advisories(root: Path) -> str | None:
    """Bring the advisory database up to date; why that was not possible, or None."""
    environment = {**without_aws(), "GIT_TERMINAL_PROMPT": "0"}
    try:
        done = subprocess.run(
            _cargo_deny("fetch", "db"), cwd=root, env=environment, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=_FETCH_SECONDS, check=False,
        )
    except subprocess.TimeoutExpired:
        return f"  it did not come within {_FETCH_SECONDS} s"
    return "\n".join(f"  {line}" for line in done.stderr.splitlines()) if done.returncode else None


def _cargo_deny(*arguments: str) -> list[str]:
    # The lock file decides: nothing is resolved anew.
    return [str(tools.bin_folder(tools.CARGO) / "cargo-deny"), "--locked", *arguments]
