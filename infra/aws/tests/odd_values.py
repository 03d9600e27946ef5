"""Values of parameters with characters that are special to a shell, make, SAM or TOML."""

from __future__ import annotations

ODD_VALUES = (
    "", " ", "two words", "  spaces around  ", "\\", "ends in \\", "two \\\\", '"', "'", '""', "'quoted'", '"quoted"', 'a "b" c', "it's", 'half "', "half '",
    '\\"', "\\'", "a\\ b", 'a\\"b\\"', "a\\b", "a=b", "=", "a,b", "ParameterKey=A,ParameterValue=b", "$HOME ${HOME} $(id) `id`", "$HOME$(id)`id`", "#",
    ";&|<>*?~!%", "two\nlines", "\ttab\r\n", "grüß 日本 😀 \u2028\x85\x7f", "grüß日本😀", "-x", "--guided", "file://parameters.toml", "null", "[1, 2]", "x" * 4096,
)  # fmt: skip
