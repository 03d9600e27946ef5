"""Prints the comments, descriptions and other scalars of YAML files as JSON: a separate program, for the Python that has PyYAML.

Arguments: the files. Each gets {"prose": …, "literals": …}, lists of texts, or {"line": …, "error": …}. A text is a list of [line, text].
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import yaml
from texts import unescaped

# Of CloudFormation, OpenAPI, AsyncAPI and workflows.
_PROSE_KEYS = re.compile(r"\w*description|summary|title", re.IGNORECASE)
_Text = list[tuple[int, str]]


def texts(source: str) -> dict[str, list[_Text]]:
    """Comments and what the keys of descriptions hold are prose; other scalars are literals."""
    found = {"prose": list(_comments(source)), "literals": []}
    for document in yaml.compose_all(source, yaml.SafeLoader):
        for kind, text in _scalars(source, document, "literals", set()):
            found[kind].append(text)
    return found


def _comments(source: str) -> Iterator[_Text]:
    """A comment is what begins with # between two tokens."""
    at, run = 0, []
    for token in yaml.scan(source, yaml.SafeLoader):
        for comment in re.finditer(r"#[^\n]*", source[at : token.start_mark.index]):
            begin = at + comment.start()
            line = source.count("\n", 0, begin) + 1
            alone = not source[source.rfind("\n", 0, begin) + 1 : begin].strip()
            if run and not (alone and run[-1][0] == line - 1):
                yield run
                run = []
            run.append((line, comment[0].lstrip("#").removeprefix(" ")))
            if not alone:
                yield run
                run = []
        at = max(at, token.end_mark.index)
    if run:
        yield run


def _scalars(source: str, node: yaml.Node | None, kind: str, read: set[yaml.Node]) -> Iterator[tuple[str, _Text]]:
    """Of a node that was not read yet: a node may be in several others, and even in itself."""
    if node in read:
        return
    read.add(node)
    if isinstance(node, yaml.ScalarNode):
        lines = _lines(source, node)
        # A block with line ends may be code.
        yield from ((kind, part) for part in ([[line] for line in lines] if node.style == "|" and kind == "literals" else [lines]))
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _scalars(source, item, "literals", read)
    elif isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield from _scalars(source, value, "prose" if _PROSE_KEYS.fullmatch(str(key.value)) else "literals", read)


def _lines(source: str, node: yaml.ScalarNode) -> _Text:
    """The scalar as it is written, so that each line keeps its number."""
    raw = source[node.start_mark.index : node.end_mark.index]
    # A tag, the header of a block, or a quotation mark.
    raw = re.sub(r"\A(?:![\w!]*[ ]+)?(?:[|>][-+\d]*(?=\n)|['\"])?", "", raw)
    if node.style == "'":
        raw = raw[:-1].replace("''", "'")
    if node.style == '"':
        return [(number, line.strip()) for number, line in unescaped(raw[:-1], node.start_mark.line + 1)]
    return [(number, line.strip()) for number, line in enumerate(raw.split("\n"), node.start_mark.line + 1)]


def _of_file(path: str) -> dict:
    try:
        return texts(Path(path).read_text(encoding="utf-8-sig"))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        return {"line": mark.line + 1 if mark else 1, "error": f"it is not YAML: {error.problem}"}
    except (OSError, UnicodeDecodeError, yaml.YAMLError, RecursionError) as error:
        return {"line": 1, "error": str(error)}


if __name__ == "__main__":
    json.dump([_of_file(path) for path in sys.argv[1:]], sys.stdout)
