"""The comments, docstrings and string literals of Python source code."""

from __future__ import annotations

import ast
import io
import textwrap
import tokenize
from collections.abc import Iterator

from .texts import Line, Text, Unreadable, line_comments, literal, numbered

_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def python(source: str, literals: bool) -> Iterator[Text]:
    """Comments and docstrings; with `literals`, other string literals too."""
    try:
        tree = ast.parse(source)
        tokens = list(tokenize.generate_tokens(io.StringIO(source).readline))
    except (SyntaxError, tokenize.TokenError, ValueError) as error:
        raise Unreadable(getattr(error, "lineno", None) or 1, f"it is not Python: {error}") from error
    comments = [token for token in tokens if token.type == tokenize.COMMENT and not token.string.startswith("#!")]
    yield from line_comments(source, ((*token.start, token.string[1:]) for token in comments))
    docstrings = list(_docstrings(tree))
    for node in docstrings:
        first, _, rest = node.value.partition("\n")
        yield Text(_lines(node, f"{first.strip()}\n{textwrap.dedent(rest)}"))
    for node, content in _literals(tree, docstrings) if literals else ():
        yield from literal(_lines(node, content))


def _lines(node: ast.expr, content: str) -> list[Line]:
    """A line of the content may be an escape in the source's line."""
    return [(min(number, node.end_lineno), line) for number, line in numbered(content, node.lineno)]


def _literals(tree: ast.AST, docstrings: list[ast.Constant]) -> Iterator[tuple[ast.expr, str]]:
    """Each string literal and its content; an f-string has {} in place of its expressions."""
    read: set[ast.expr] = set(docstrings)
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            read.update(node.values)
            yield node, "".join(part.value if isinstance(part, ast.Constant) else "{}" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, (str, bytes)) and node not in read:
            yield node, node.value if isinstance(node.value, str) else node.value.decode("utf-8", "replace")


def _docstrings(tree: ast.AST) -> Iterator[ast.Constant]:
    for node in ast.walk(tree):
        if isinstance(node, _DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
            yield node.body[0].value
