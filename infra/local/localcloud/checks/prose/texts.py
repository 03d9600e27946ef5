"""Texts as the prose check reads them, and those of Markdown and of the Makefile."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

# The line's number, and its prose.
Line = tuple[int, str]

# A literal of fewer words may be data.
_WORDS_OF_PROSE = 2
# In Markdown, HTML, a link's target or code.
_MARKUP = re.compile(r"[<\[~]|```")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
# To Markdown, it may begin code; and this, HTML: an opening bracket without a backslash before it.
_WIDE_SPACE = re.compile(r"[ \t]*\t[ \t]*| {4,}")
_HTML = re.compile(r"(?<!\\)((?:\\\\)*)<")
# A character behind a backslash, by its number or as itself; or the line's end.
_HEX = r"[\da-fA-F]"
_ESCAPE = re.compile(rf"\\(?:x({_HEX}{{2}})|u({_HEX}{{4}})|U({_HEX}{{8}})|u\{{((?:{_HEX}|_)+)\}}|(?P<self>.|$))")
_ESCAPED = {"n": "\n", "r": "", "t": " "}
_FENCE = re.compile(r"[\s>]*(?:[-*+]\s+|\d+[.)]\s+)*(```+(?=[^`]*$)|~~~+)(.*)")


class Unreadable(Exception):
    """A text that cannot be extracted: the check fails, because it would pass over what it cannot see."""

    def __init__(self, line: int, what: str) -> None:
        super().__init__(what)
        self.line = line


@dataclass(frozen=True)
class Text:
    """Lines that belong together, in Markdown."""

    lines: list[Line]


def numbered(text: str, first: int = 1) -> list[Line]:
    """The lines of a text with their numbers; `first` is the number of the first line."""
    return list(enumerate(text.split("\n"), first))


def markdown(source: str) -> Iterator[Text]:
    """The whole file."""
    yield Text(numbered(source))


def makefile(source: str) -> Iterator[Text]:
    """Comments on separate lines, and the help behind `##`."""
    yield from paragraphs((number, line[1:].strip()) for number, line in numbered(source) if line.startswith("#"))
    for number, line in numbered(source):
        if help_text := re.match(r"[\w-]+:.*?## (.*)", line):
            yield Text([(number, help_text[1])])


def literal(lines: Iterable[Line]) -> Iterator[Text]:
    """The paragraphs of a string literal that is prose. An indented line begins one, except below a line with less indentation.

    So does a line below a colon, such as an example, and every line of markup.
    """
    lines = [(number, line.expandtabs()) for number, line in lines]
    if sum(len(line.split()) for _, line in lines) < _WORDS_OF_PROSE:
        return
    written = [line for _, line in lines if line.strip()]
    margin, is_markup = min(map(_indentation, written)), written[0].lstrip().startswith("<")
    paragraph: list[Line] = []
    first = 0
    for number, line in lines:
        depth = _indentation(line) - margin
        goes_on = paragraph and line.strip() and (depth == first == 0 or 0 < first < depth)
        if paragraph and (is_markup or not goes_on or paragraph[-1][1].endswith(":")):
            yield Text(paragraph)
            paragraph = []
        if line.strip():
            first = first if paragraph else depth
            paragraph.append((number, _MARKUP.sub(r"\\\g<0>", _CONTROL.sub(" ", line).strip())))
    if paragraph:
        yield Text(paragraph)


def unescaped(content: str, first: int) -> list[Line]:
    """The lines of a literal with escapes. Behind a backslash at its end, a line goes on in the next one."""
    lines: list[Line] = []
    goes_on = False
    for number, written in enumerate(content.split("\n"), first):
        before, (begin, *rest) = goes_on, _ESCAPE.sub(_character, written).split("\n")
        if before and lines[-1][1].strip():
            indentation = _indentation(lines[-1][1])
            begin = " " * (indentation and indentation + 1) + begin.lstrip()
        elif before:
            lines.pop()
            begin = begin.lstrip()
        lines += [(number, line) for line in (begin, *rest)]
        goes_on = bool(re.search(r"(?<!\\)(\\\\)*\\$", written))
    return lines


def _character(escape: re.Match[str]) -> str:
    itself = escape["self"]
    return chr(int(escape[escape.lastindex], 16)) if itself is None else _ESCAPED.get(itself, itself)


def _indentation(line: str) -> int:
    return len(line) - len(line.lstrip())


def line_comments(source: str, found: Iterable[tuple[int, int, str]]) -> Iterator[Text]:
    """Comments to the end of a line: its number, the column and the text. Those without code before them are paragraphs."""
    lines = source.split("\n")
    alone: list[Line] = []
    for number, column, comment in found:
        if lines[number - 1][:column].strip():
            yield Text([(number, comment.strip())])
        else:
            alone.append((number, comment.removeprefix(" ")))
    yield from paragraphs(alone)


def place(source: str, at: int) -> tuple[int, int]:
    """The line's number and the column of an offset."""
    return source.count("\n", 0, at) + 1, at - source.rfind("\n", 0, at) - 1


def block_lines(content: str, first: int) -> list[Line]:
    """Lines of a block comment, without indentation and leading asterisks."""
    return [(number, re.sub(r"^\s*(?:[*!]+(?=\s|$))?\s*", "", line)) for number, line in numbered(content, first)]


def paragraphs(lines: Iterable[Line]) -> Iterator[Text]:
    """Texts of lines with consecutive numbers."""
    block: list[Line] = []
    for line in lines:
        if block and line[0] != block[-1][0] + 1:
            yield Text(block)
            block = []
        block.append(line)
    if block:
        yield Text(block)


def shown(text: Text) -> Text:
    """A text of a file that is not Markdown, without HTML or code by indentation."""
    return Text([(number, _HTML.sub(r"\1\\<", _WIDE_SPACE.sub("   ", line))) for number, line in text.lines])


def refuse_hidden(text: Text) -> None:
    """Fail where Markdown would take the rest of a text for code."""
    opened, fence = 0, ""
    for number, line in text.lines:
        if found := _FENCE.match(line):
            marks, rest = found.groups()
            if not opened:
                opened, fence = number, marks
            elif marks.startswith(fence) and not rest.strip():
                opened = 0
    if opened:
        raise Unreadable(opened, f"the code block that {fence} begins does not end")
