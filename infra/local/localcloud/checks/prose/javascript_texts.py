"""The comments and string literals of JavaScript source code, which a program of Node.js finds."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from .texts import Text, block_lines, line_comments, literal

# A tag of JSDoc, with its type, begins a paragraph.
_TAG = re.compile(r"^@\w+(?: \{(?:[^{}]|\{[^{}]*\})*\})?")


def javascript(source: str, extracted: dict[str, Any], literals: bool) -> Iterator[Text]:
    """Comments; with `literals`, string literals too."""
    comments = extracted["comments"]
    yield from line_comments(source, ((line, column, text) for kind, line, column, text in comments if kind == "CommentLine"))
    for kind, line, _, block in comments:
        if kind == "CommentBlock":
            lines = block_lines(block.rstrip("*"), line)
            yield Text([(number, part) for number, text in lines for part in _TAG.sub("\n\n", text).split("\n")])
    for lines in extracted["literals"] if literals else ():
        yield from literal(map(tuple, lines))
