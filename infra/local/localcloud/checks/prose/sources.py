"""Which files the prose check reads, and how it extracts the texts of each."""

from __future__ import annotations

import itertools
import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

from ... import tools
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
_YAML = (".yaml", ".yml")
# By the end of the path.
_EXTRACTORS = {
    ".html": html,
    ".js": javascript,
    ".md": markdown,
    ".mjs": javascript,
    ".py": python,
    ".rs": rust,
    ".schema.json": json_schema,
    ".toml": toml,
    "Makefile": makefile,
}
# Their strings are not read in tests.
_WITH_LITERALS = (javascript, json_schema, python, rust)
_YAML_TEXTS = Path(__file__).with_name("yaml_texts.py")


def sources(root: Path) -> list[str]:
    """The files with prose below a folder, as paths from there."""
    found = []
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if name not in _MADE and (name == _HIDDEN_BUT_READ or not name.startswith("."))]
        found += [(Path(folder) / name).relative_to(root).as_posix() for name in names if _is_read(name)]
    return sorted(found)


def texts_of(root: Path, paths: list[str]) -> Iterator[tuple[str, list[Text] | Unreadable]]:
    """The texts of each file, or why they cannot be extracted. The tool set `prose` must be there."""
    yaml = [path for path in paths if path.endswith(_YAML)]
    extracted = dict(zip(yaml, _texts_of_yaml(root, yaml)))
    for path in paths:
        try:
            texts = _yaml(extracted[path]) if path in extracted else list(_texts(path, (root / path).read_text(encoding="utf-8")))
            if not path.endswith(".md"):
                texts = list(map(shown, texts))
            for text in texts:
                refuse_hidden(text)
            yield path, texts
        except Unreadable as unreadable:
            yield path, unreadable
        except (OSError, UnicodeDecodeError) as error:
            yield path, Unreadable(1, f"it cannot be read: {error}")


def _is_read(name: str) -> bool:
    return name.endswith((*_EXTRACTORS, *_YAML))


def _texts(path: str, source: str) -> Iterator[Text]:
    extractor = next(extractor for end, extractor in _EXTRACTORS.items() if path.endswith(end))
    return extractor(source, literals=re.search(r"(^|/)tests(/|\.rs$)", path) is None) if extractor in _WITH_LITERALS else extractor(source)


def _texts_of_yaml(root: Path, paths: list[str]) -> list[dict]:
    command = [str(tools.python(tools.PROSE)), str(_YAML_TEXTS), *paths]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Failure(f"The texts of YAML files cannot be extracted:\n{done.stderr}")
    return json.loads(done.stdout)


def _yaml(extracted: dict) -> list[Text]:
    if "error" in extracted:
        raise Unreadable(extracted["line"], extracted["error"])
    prose, literals = ([list(map(tuple, text)) for text in extracted[kind]] for kind in ("prose", "literals"))
    return [*map(Text, prose), *itertools.chain.from_iterable(map(literal, literals))]
