"""The comments, docstrings and string literals of Python source code."""

from __future__ import annotations

import ast
import io
import re
import textwrap
import tokenize
from collections.abc import Iterator

from .texts import Text, Unreadable, literal, numbered, paragraphs

_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
_QUOTES = re.compile(r"""\w*('{3}|"{3}|'|")(.*)\1""", re.DOTALL)


def python(source: str, literals: bool) -> Iterator[Text]:
    """Comments and docstrings; with `literals`, other string literals too."""
    try:
        tree = ast.parse(source)
        tokens = list(tokenize.generate_tokens(io.StringIO(source).readline))
    except (SyntaxError, tokenize.TokenError, ValueError) as error:
        raise Unreadable(getattr(error, "lineno", None) or 1, f"it is not Python: {error}") from error
    yield from _comments(tokens)
    docstrings = list(_docstrings(tree))
    for node in docstrings:
        segment = ast.get_source_segment(source, node) or ""
        first, _, rest = _QUOTES.fullmatch(segment)[2].partition("\n")
        yield Text(numbered(f"{first.strip()}\n{textwrap.dedent(rest)}", node.lineno))
    if literals:
        for line, content in _literals(tree, docstrings):
            yield from literal([(number, part.strip()) for number, part in numbered(content, line)])


def _comments(tokens: list[tokenize.TokenInfo]) -> Iterator[Text]:
    comments = [token for token in tokens if token.type == tokenize.COMMENT and not token.string.startswith("#!")]
    alone = [token for token in comments if not token.line[: token.start[1]].strip()]
    yield from paragraphs((token.start[0], token.string[1:].removeprefix(" ")) for token in alone)
    yield from (Text([(token.start[0], token.string[1:].strip())]) for token in comments if token not in alone)


def _literals(tree: ast.AST, docstrings: list[ast.Constant]) -> Iterator[tuple[int, str]]:
    """First line and content of each string literal; an f-string has {} in place of its expressions."""
    read: set[ast.expr] = set(docstrings)
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            read.update(node.values)
            yield node.lineno, "".join(part.value if isinstance(part, ast.Constant) else "{}" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in read:
            yield node.lineno, node.value


def _docstrings(tree: ast.AST) -> Iterator[ast.Constant]:
    for node in ast.walk(tree):
        if isinstance(node, _DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
            yield node.body[0].value
