"""The comments and string literals of JavaScript source code."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .texts import Text, Unreadable, block_lines, line_comments, literal, place, unescaped

_TOKEN = re.compile(
    r"""
      //(?P<comment>[^\n]*)
    | /\*(?P<block>.*?)\*/
    | (?P<string>'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*")
    | (?P<space>\s+)
    | (?P<word>[\w$]+)
    | (?P<unclosed>/\*|['"])
    | (?P<sign>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_TEMPLATE = re.compile(r"((?:[^`\\$]|\\.|\$(?!\{))*)(`|\$\{)", re.DOTALL)
_REGEX = re.compile(r"(?:[^/\\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+/")
# Behind these, a slash begins a regular expression; behind anything else, it divides.
_BEFORE_REGEX = frozenset(("", "return", "case", "typeof", *"(,=:[!&|?{;+-*<>"))
# A tag of JSDoc, with its type.
_TAG = re.compile(r"@\w+(?: \{(?:[^{}]|\{[^{}]*\})*\})?")


def javascript(source: str, literals: bool) -> Iterator[Text]:
    """Comments; with `literals`, string literals too."""
    found: dict[str, list[tuple[int, str]]] = {"comment": [], "block": [], "string": []}
    _scan(source, 0, found, in_template=False)
    yield from line_comments(source, ((*place(source, at), comment) for at, comment in found["comment"]))
    for at, block in found["block"]:
        text = []
        for number, line in block_lines(block.rstrip("*"), place(source, at)[0]):
            # A tag begins a paragraph.
            text += [(number, part) for part in "\n\n".join(_TAG.split(line)).split("\n")]
        yield Text(text)
    for at, string in found["string"] if literals else ():
        yield from literal(unescaped(string, place(source, at)[0]))


def _scan(source: str, at: int, found: dict[str, list[tuple[int, str]]], in_template: bool) -> int:
    """Find comments and strings up to the end; `in_template`: up to the brace that closes an expression. Its offset, or the end's."""
    depth, before = 0, ""
    while at < len(source):
        token = _TOKEN.match(source, at)
        begin, at, kind, text = at, token.end(), token.lastgroup, token[0]
        if kind == "unclosed":
            raise Unreadable(place(source, begin)[0], f"what {text} begins does not end")
        if kind in ("comment", "block"):
            found[kind].append((begin, token[kind]))
        elif kind == "string":
            found[kind].append((begin, text[1:-1]))
        elif text == "`":
            at = _template(source, at, found)
        elif text == "/" and before in _BEFORE_REGEX:
            at = _matched(_REGEX, source, at, text).end()
        elif text == "}" and in_template and depth == 0:
            return at
        depth += (text == "{") - (text == "}")
        before = before if kind in ("comment", "block", "space") else text
    if in_template:
        raise Unreadable(place(source, at)[0], "the template does not end")
    return at


def _template(source: str, at: int, found: dict[str, list[tuple[int, str]]]) -> int:
    """The offset behind a template; its content begins at `at`. An expression is {}."""
    begin, content = at, ""
    while True:
        part = _matched(_TEMPLATE, source, at, "`")
        content, at = content + part[1], part.end()
        if part[2] == "`":
            found["string"].append((begin, content))
            return at
        at = _scan(source, at, found, in_template=True)
        content += "{}"


def _matched(pattern: re.Pattern[str], source: str, at: int, what: str) -> re.Match[str]:
    if found := pattern.match(source, at):
        return found
    raise Unreadable(place(source, at)[0], f"what {what} begins does not end")
