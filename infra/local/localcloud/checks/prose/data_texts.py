"""The comments and strings of TOML, and the descriptions in JSON schemas."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from .texts import Text, Unreadable, line_comments, literal, numbered, place, unescaped

_TOML = re.compile(
    r"""
      \#(?P<comment>[^\n]*)
    | \"{3}(?P<block>(?:[^\\]|\\.)*?)\"{3}(?!")
    | '{3}(?P<raw_block>.*?)'{3}(?!')
    | (?P<unclosed_block>\"{3}|'{3})
    | "(?P<string>(?:[^"\\\n]|\\.)*)"
    | '(?P<raw>[^'\n]*)'
    | (?P<unclosed>["'])
    """,
    re.VERBOSE | re.DOTALL,
)
_DESCRIPTION = re.compile(r'"(?:description|title)"\s*:\s*("(?:[^"\\]|\\.)*")')


def toml(source: str) -> Iterator[Text]:
    """Comments and strings."""
    comments = []
    for found in _TOML.finditer(source):
        line, column = place(source, found.start())
        kind, content = found.lastgroup, found[found.lastgroup]
        if kind.startswith("unclosed"):
            raise Unreadable(line, f"the string that {content} begins does not end")
        if kind == "comment":
            comments.append((line, column, content))
        else:
            yield from literal(numbered(content, line) if kind.startswith("raw") else unescaped(content, line))
    yield from line_comments(source, comments)


def json_schema(source: str, literals: bool) -> Iterator[Text]:
    """Descriptions and titles, with `literals`."""
    try:
        json.loads(source)
    except json.JSONDecodeError as error:
        raise Unreadable(error.lineno, f"it is not JSON: {error.msg}") from error
    for found in _DESCRIPTION.finditer(source if literals else ""):
        yield Text([(place(source, found.start())[0], line) for line in json.loads(found[1]).split("\n")])
