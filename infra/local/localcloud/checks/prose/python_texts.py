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
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in docstrings:
                yield from literal([(number, line.strip()) for number, line in numbered(node.value, node.lineno)])


def _comments(tokens: list[tokenize.TokenInfo]) -> Iterator[Text]:
    comments = [token for token in tokens if token.type == tokenize.COMMENT and not token.string.startswith("#!")]
    alone = [token for token in comments if not token.line[: token.start[1]].strip()]
    yield from paragraphs((token.start[0], token.string[1:].removeprefix(" ")) for token in alone)
    yield from (Text([(token.start[0], token.string[1:].strip())]) for token in comments if token not in alone)


def _docstrings(tree: ast.AST) -> Iterator[ast.Constant]:
    for node in ast.walk(tree):
        if isinstance(node, _DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
            yield node.body[0].value
