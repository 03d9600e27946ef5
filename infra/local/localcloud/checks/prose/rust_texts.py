"""The comments and string literals of Rust source code."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .texts import Line, Text, Unreadable, block_lines, literal, numbered, unescaped

# May hold `//` or a quotation mark. Source: The Rust Reference, "Comments" and "Tokens".
_TOKEN = re.compile(
    r"""
      (?P<comment>//[^\n]*)
    | (?P<block>/\*)
    | (?:\b(?:b|c)?r(?P<hashes>\#*)")(?P<raw>)
    | (?P<quote>")
    | b?'(?:\\(?:u\{[^}]*\}|x..|.)|[^\\'\n])'
    """,
    re.VERBOSE,
)
_BLOCK_EDGE = re.compile(r"/\*|\*/")
_STRING_END = re.compile(r'(?:[^"\\]|\\.)*"', re.DOTALL)
_DOC = re.compile(r"//(?:/(?!/)|!)?|//+")


def rust(source: str, literals: bool) -> Iterator[Text]:
    """Comments, one text for each run of lines of one kind; with `literals`, string literals too."""
    run: list[Line] = []
    marker_of_run = ""
    at = 0
    while found := _TOKEN.search(source, at):
        at, line = found.end(), source.count("\n", 0, found.start()) + 1
        if comment := found["comment"]:
            marker = _DOC.match(comment)[0]
            alone = not source[source.rfind("\n", 0, found.start()) + 1 : found.start()].strip()
            continues = alone and marker == marker_of_run and run and run[-1][0] == line - 1
            if run and not continues:
                yield Text(run)
                run = []
            run.append((line, comment[len(marker) :].removeprefix(" ")))
            marker_of_run = marker if alone else ""
        elif found["block"]:
            at = _end_of_block(source, at, line)
            yield Text(block_lines(source[found.end() : at - 2], line))
        elif found["raw"] is not None or found["quote"]:
            begin = at
            at = _end_of_string(source, at, line, found["hashes"])
            content = source[begin : at - 1 - len(found["hashes"] or "")]
            if literals:
                yield from literal(unescaped(content, line) if found["quote"] else numbered(content, line))
    if run:
        yield Text(run)


def _end_of_block(source: str, at: int, line: int) -> int:
    """The offset behind a comment; its content begins at `at`. Block comments nest."""
    depth = 1
    while depth:
        edge = _BLOCK_EDGE.search(source, at)
        if edge is None:
            raise Unreadable(line, "the comment that /* begins does not end")
        depth += 1 if edge[0] == "/*" else -1
        at = edge.end()
    return at


def _end_of_string(source: str, at: int, line: int, hashes: str | None) -> int:
    """The offset behind a string literal; its content begins at `at`. `hashes` are those of a raw string."""
    if hashes is None:
        end = _STRING_END.match(source, at)
        if end:
            return end.end()
    elif (found := source.find(f'"{hashes}', at)) >= 0:
        return found + 1 + len(hashes)
    raise Unreadable(line, "the string does not end")
