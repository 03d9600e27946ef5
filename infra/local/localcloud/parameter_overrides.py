"""The stack's parameters on their way to SAM.

They go in a file. On its command line, SAM reads no value that ends in a backslash, and cuts others at a quote without a message.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path

_FILE = "parameters.toml"
# What SAM takes a backslash away from, wherever it stands in a value.
_ESCAPABLE = re.compile(r"""([ "'])""")


def overrides(parameters: Mapping[str, str], folder: Path) -> list[str]:
    """Write the parameters into the folder; the options with which SAM reads them there, each value as it is.

    The folder must stay until SAM has ended.
    """
    if not parameters:
        return []
    path = (folder / _FILE).resolve()
    lines = (f"{name} = {_toml(_quoted(_quoted(value)))}\n" for name, value in parameters.items())
    path.write_text("".join(lines), encoding="ascii")
    return ["--parameter-overrides", f"file://{path}"]


def _quoted(value: str) -> str:
    """What SAM unquotes to the value. It does so twice: when it has read the file, and when it has read the option."""
    escaped = _ESCAPABLE.sub(r"\\\1", value)
    return f'"{escaped}"'


def _toml(value: str) -> str:
    """A basic string of TOML. In ASCII, since SAM reads the file in the encoding of the user's locale.

    Its escapes are JSON's, but for those of characters above U+FFFF. Source: TOML v1.0.0, "String".
    """
    text = json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")
    return "".join(character if character.isascii() else f"\\U{ord(character):08X}" for character in text)
