"""The rules on extracted texts: textlint's on words and sentences, and the spell checker typos."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ... import npm, tools
from ...failure import Failure
from ...layout import PROSE_FOLDER
from .texts import Line, Text

WORD, LONG, SPELLING, UNREADABLE = "word", "long", "spelling", "unreadable"
# Exit code of typos when it found something. Source: its documentation, "Reference", "Exit codes".
_TYPOS_FOUND = 2


@dataclass(frozen=True, order=True)
class Finding:
    """What is wrong where: `found` is the word or the sentence, `advice` what to write."""

    path: str
    line: int
    kind: str
    found: str
    advice: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.kind}: {self.found} => {self.advice}"


@dataclass(frozen=True)
class _Document:
    """A file for the linters: texts with a blank line between them, and the line that each line of it came from."""

    path: str
    lines: list[Line]

    def finding(self, line: int, kind: str, found: str, advice: str) -> Finding:
        """One in this line of the document."""
        return Finding(self.path, self.lines[line - 1][0], kind, found, advice)


def findings(texts: Mapping[str, list[Text]], folder: Path, packages: Path) -> list[Finding]:
    """All findings in the texts of each path, in order. `folder` is empty; `packages` are those of npm."""
    documents: dict[str, _Document] = {}
    for path, of_path in texts.items():
        # Without front matter: an empty line is first.
        if lines := [line for text in of_path for line in ((text.lines[0][0], ""), *text.lines)]:
            name = f"{len(documents)}.md"
            documents[name] = _Document(path, lines)
            (folder / name).write_text("\n".join(line for _, line in lines), encoding="utf-8", errors="replace")
    return sorted({*_textlint(documents, folder, packages), *_typos(documents, folder)})


def _textlint(documents: Mapping[str, _Document], folder: Path, packages: Path) -> Iterator[Finding]:
    # The script is not next to the packages that it needs.
    done = npm.run(folder, {"NODE_PATH": str(packages)}, ["node", str(PROSE_FOLDER / "textlint.js"), str(folder)])
    if done.returncode:
        raise Failure(f"textlint failed:\n{done.stdout}{done.stderr}")
    for name, line, rule, message in json.loads(done.stdout):
        if rule not in (WORD, LONG, UNREADABLE):
            raise Failure(f"textlint cannot check {documents[name].path}: {message}")
        found, advice = (" ".join(part.split()) for part in message.rsplit(" => ", 1))
        yield documents[name].finding(line, rule, found, advice)


def _typos(documents: Mapping[str, _Document], folder: Path) -> Iterator[Finding]:
    if not documents:
        return
    # By name: Node writes its cache into the same folder.
    command = [str(tools.bin_folder(tools.PROSE) / "typos"), "--isolated", "--hidden", "--no-ignore", "--format", "json", *documents]
    done = npm.run(folder, {}, command)
    for report in map(json.loads, done.stdout.splitlines()):
        if report["type"] != "typo":
            raise Failure(f"typos cannot check a text: {report}")
        document = documents[Path(report["path"]).name]
        yield document.finding(report["line_num"], SPELLING, report["typo"], " or ".join(report["corrections"]))
    if done.returncode != (_TYPOS_FOUND if done.stdout else 0):
        raise Failure(f"typos failed:\n{done.stderr}")
