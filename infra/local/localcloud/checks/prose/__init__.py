"""Plain English: banned words, long sentences and misspellings in documents, comments, help and descriptions."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from ... import commands, npm, tools
from ...failure import Failure
from ...layout import PROSE_FOLDER, REQUIREMENTS_FOLDER, Project, short
from ...temporary import temporary_folder
from . import rules
from .exceptions import Exceptions
from .rules import UNREADABLE, Finding
from .sources import sources, texts_of
from .texts import Unreadable

EXCEPTIONS = PROSE_FOLDER / "exceptions.json"


def run(target: commands.Target, below: list[str]) -> int:
    """Print the findings, and fail if there are any. `below`: only in these files and folders; else in all, unless nothing changed."""
    project, every = target.project, sources(target.project.root)
    paths = [path for path in every if not below or any(f"{path}/".startswith(f"{part.rstrip('/')}/") for part in below)]
    if below and not paths:
        raise Failure(f"There is no text in {', '.join(below)}.\n  Do:   name files or folders, from {short(project.root)}")
    found = _fingerprint(project, every)
    if not below and project.prose.exists() and project.prose.read_text(encoding="utf-8") == found:
        print("prose: unchanged since nothing was found")
        return 0
    commands.ensure_tools(project, (tools.PROSE, tools.TEST))
    exceptions = Exceptions.read(EXCEPTIONS)
    left = exceptions.left(findings(project.root, paths))
    for finding in left:
        print(finding)
    unused = [] if below else exceptions.unused()
    for name in unused:
        print(f"{short(EXCEPTIONS)}: unused: delete the exception: {name}")
    print(f"prose: {len(left)} findings in {len(paths)} files{_summary(left)}")
    if left or unused:
        raise Failure(
            "The texts above break the rules of plain English.\n"
            "  Do:   rewrite them; or, where a rule is wrong for a text, add an exception with its reason to\n"
            f"        {short(EXCEPTIONS)}. See docs/decisions/0048-check-the-prose.md."
        )
    if not below:
        project.prose.parent.mkdir(exist_ok=True)
        project.prose.write_text(found, encoding="utf-8")
    return 0


def findings(root: Path, paths: list[str]) -> list[Finding]:
    """All findings in these files, in order. The tool sets `prose` and `test` must be there."""
    readable, unreadable = {}, []
    with temporary_folder(root) as temporary:
        packages = npm.install("textlint", lambda text: print(text, flush=True), temporary)
        for path, texts in texts_of(root, paths, packages):
            if isinstance(texts, Unreadable):
                unreadable.append(Finding(path, texts.line, UNREADABLE, str(texts), "correct it, because nothing in the file was checked"))
            else:
                readable[path] = texts
        return sorted([*rules.findings(readable, Path(temporary["TMPDIR"]), packages), *unreadable])


def _fingerprint(project: Project, paths: Iterable[str]) -> str:
    """A hash over all that the findings depend on."""
    own = sorted(path for folder in (PROSE_FOLDER, Path(__file__).parent) for path in folder.rglob("*.*") if path.suffix != ".pyc")
    locks = [REQUIREMENTS_FOLDER / f"{tools.PROSE}.txt", *npm.locked("textlint")]
    hashes = [f"{path} {_hash(project.root / path)}" for path in paths] + [_hash(path) for path in (*own, *locks)]
    return hashlib.sha256("\n".join(hashes).encode()).hexdigest()


def _hash(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        # It becomes a finding, so the hash is not kept.
        return "unreadable"


def _summary(left: Iterable[Finding]) -> str:
    """How many findings each top-level folder has of each kind."""
    counts = Counter((finding.path.split("/")[0], finding.kind) for finding in left)
    return "".join(f"\n  {folder:<20} {kind:<10} {count:>5}" for (folder, kind), count in sorted(counts.items()))
