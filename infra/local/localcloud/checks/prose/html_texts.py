"""The texts of HTML files."""

from __future__ import annotations

import json
from collections.abc import Iterator
from html.parser import HTMLParser

from ...layout import PROSE_FOLDER
from .texts import Line, Text, Unreadable, literal, numbered

# Without an end tag. Source: HTML Living Standard, "Void elements".
_VOID = frozenset({"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"})
_NO_TEXT = ("script", "style")
# Their end tags may be missing. Source: HTML Living Standard, "Optional tags".
_END_OPTIONAL = frozenset({"body", "dd", "dt", "html", "li", "optgroup", "option", "p", "tbody", "td", "tfoot", "th", "thead", "tr"})
_MARKUP = json.loads((PROSE_FOLDER / "html.json").read_text(encoding="utf-8"))


def html(source: str) -> Iterator[Text]:
    """Texts, those in attributes, and comments."""
    parser = _Parser()
    parser.feed(source)
    if "<" in parser.rawdata:
        raise Unreadable(parser.getpos()[0], "the comment or tag that < begins does not end")
    parser.close()
    parser.close_element(None)
    for text in parser.texts:
        yield from literal((number, line.lstrip()) for number, line in text)


class _Parser(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.texts: list[list[Line]] = [[]]
        self._open: list[tuple[str, int]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_startendtag(tag, attrs)
        if tag not in _VOID:
            self._open.append((tag, self.getpos()[0]))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        line = self.getpos()[0]
        # Not in the middle of the sentence around it.
        self.texts[:0] = [numbered(value, line) for name, value in attrs if name in _MARKUP["attributes"] and value]
        self._boundary(tag)

    def handle_endtag(self, tag: str) -> None:
        self.close_element(tag)
        self._boundary(tag)

    def handle_data(self, data: str) -> None:
        if not self._open or self._open[-1][0] not in _NO_TEXT:
            self._add(data)

    def handle_comment(self, data: str) -> None:
        self.texts.insert(0, numbered(data, self.getpos()[0]))

    # To a browser, these are comments too, except <!doctype>.
    handle_decl = handle_pi = unknown_decl = handle_comment

    def parse_marked_section(self, i: int, report: int = 1) -> int:
        """A comment too. Some versions of Python raise an AssertionError."""
        return self.parse_bogus_comment(i, report)

    def close_element(self, tag: str | None) -> None:
        """Fails unless this element, or none at the end of the file, is open."""
        while self._open and self._open[-1][0] != tag and self._open[-1][0] in _END_OPTIONAL:
            self._open.pop()
        opened, line = self._open.pop() if self._open else (None, self.getpos()[0])
        if opened != tag:
            raise Unreadable(line, f"<{opened or f'/{tag}'}> has no matching tag")

    def _boundary(self, tag: str) -> None:
        if tag == "code":
            self._add("`")
        elif tag in _MARKUP["blocks"]:
            self.texts.append([])

    def _add(self, data: str) -> None:
        """Add to the sentence: elements in it may begin and end within a line."""
        line = self.getpos()[0]
        for number, part in numbered(data, line):
            if number == line and self.texts[-1]:
                self.texts[-1][-1] = (self.texts[-1][-1][0], self.texts[-1][-1][1] + part)
            else:
                self.texts[-1].append((number, part))
