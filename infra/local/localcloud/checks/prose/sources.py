"""Which files the prose check reads, and how it extracts the texts of each."""

from __future__ import annotations

import itertools
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ... import npm, tools
from ...failure import Failure
from .data_texts import json_schema, toml
from .html_texts import html
from .javascript_texts import javascript
from .python_texts import python
from .rust_texts import rust
from .texts import Text, Unreadable, literal, makefile, markdown, refuse_hidden, shown

# Made by builds, tests and package managers. Folders with a dot in front are not read either, with one exception.
_MADE = frozenset({"target", "node_modules", "__pycache__", "twolane-reports"})
_HIDDEN_BUT_READ = ".github"
_JAVASCRIPT = (".js", ".mjs")
_YAML = (".yaml", ".yml")
# By the end of the path.
_EXTRACTORS = {
    ".html": html,
    ".md": markdown,
    ".py": python,
    ".rs": rust,
    ".schema.json": json_schema,
    ".toml": toml,
    "Makefile": makefile,
}
# Their strings are not read in tests.
_WITH_LITERALS = (json_schema, python, rust)


def sources(root: Path) -> list[str]:
    """The files with prose below a folder, as paths from there."""
    found = []
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if name not in _MADE and (name == _HIDDEN_BUT_READ or not name.startswith("."))]
        found += [(Path(folder) / name).relative_to(root).as_posix() for name in names if _is_read(name)]
    return sorted(found)


def texts_of(root: Path, paths: list[str], packages: Path) -> Iterator[tuple[str, list[Text] | Unreadable]]:
    """The texts of each file, or why they cannot be extracted. The tool sets `prose` and `test` must be there; `packages` are npm's."""
    extracted = {
        **_extracted(root, paths, _YAML, [str(tools.python(tools.PROSE)), "yaml_texts.py"], packages),
        **_extracted(root, paths, _JAVASCRIPT, ["node", "javascript_texts.js"], packages),
    }
    for path in paths:
        try:
            texts = list(_texts(path, (root / path).read_text(encoding="utf-8-sig"), extracted.get(path, {})))
            if not path.endswith(".md"):
                texts = list(map(shown, texts))
            for text in texts:
                refuse_hidden(text)
            yield path, texts
        except Unreadable as unreadable:
            yield path, unreadable
        # Python's parsers raise all of these.
        except (OSError, ArithmeticError, ValueError, AssertionError, MemoryError, RecursionError) as error:
            yield path, Unreadable(1, f"it cannot be read: {type(error).__name__}: {error}")


def _is_read(name: str) -> bool:
    return name.endswith((*_EXTRACTORS, *_JAVASCRIPT, *_YAML))


def _texts(path: str, source: str, extracted: dict[str, Any]) -> Iterator[Text]:
    literals = re.search(r"(^|/)tests(/|\.rs$)", path) is None
    if "error" in extracted:
        raise Unreadable(extracted["line"], extracted["error"])
    if path.endswith(_JAVASCRIPT):
        return javascript(source, extracted, literals)
    if path.endswith(_YAML):
        return _yaml(extracted)
    extractor = next(extractor for end, extractor in _EXTRACTORS.items() if path.endswith(end))
    return extractor(source, literals=literals) if extractor in _WITH_LITERALS else extractor(source)


def _extracted(root: Path, paths: list[str], ends: tuple[str, ...], program: list[str], packages: Path) -> dict[str, dict[str, Any]]:
    """What a program next to this one prints for the files with these ends."""
    read = [path for path in paths if path.endswith(ends)]
    interpreter, name = program
    done = npm.run(root, {"NODE_PATH": str(packages)}, [interpreter, str(Path(__file__).with_name(name)), *read])
    if done.returncode:
        raise Failure(f"{name} failed:\n{done.stderr}")
    return dict(zip(read, json.loads(done.stdout)))


def _yaml(extracted: dict[str, Any]) -> Iterator[Text]:
    prose, literals = ([list(map(tuple, text)) for text in extracted[kind]] for kind in ("prose", "literals"))
    return itertools.chain(map(Text, prose), itertools.chain.from_iterable(map(literal, literals)))
