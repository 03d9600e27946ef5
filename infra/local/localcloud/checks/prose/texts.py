"""Texts as the prose check reads them, and those of Markdown and of the Makefile."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

# The line's number, and its prose.
Line = tuple[int, str]

_WORDS_OF_A_SENTENCE = 4
_FENCE = re.compile(r"[\s>]*(?:[-*+]\s+|\d+[.)]\s+)*(```+|~~~+)(.*)")


class Unreadable(Exception):
    """A text that cannot be extracted: the check fails, because it would pass over what it cannot see."""

    def __init__(self, line: int, what: str) -> None:
        super().__init__(what)
        self.line = line


@dataclass(frozen=True)
class Text:
    """Lines that belong together, in Markdown. `literal`: a string literal, held to the list of words only."""

    lines: list[Line]
    literal: bool = False


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


def literal(lines: list[Line]) -> Iterator[Text]:
    """The content of a string literal, if it has the words of a sentence: it may be data."""
    if sum(len(line.split()) for _, line in lines) >= _WORDS_OF_A_SENTENCE:
        yield Text(lines, literal=True)


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


def refuse_hidden(text: Text) -> None:
    """Fail where Markdown would take the rest of a text for code or for an HTML comment."""
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
    whole = "\n".join(line for _, line in text.lines)
    begin = whole.rfind("<!--")
    if begin >= 0 and "-->" not in whole[begin:]:
        raise Unreadable(text.lines[whole.count("\n", 0, begin)][0], "the comment that <!-- begins does not end")
