"""Parameters of a deployment: each reaches the stack as it was typed, or is refused with the reason before anything is built."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from click import BadParameter
from localcloud.failure import Failure
from localcloud.layout import short
from samcli.cli.types import CfnParameterOverridesType
from samcli.yamlhelper import yaml_parse

# The largest value, in bytes. Source: AWS CloudFormation User Guide, "Understand CloudFormation quotas", "Parameter values".
_MOST_BYTES = 4096
# What no XML document can have, and CloudFormation answers in XML; the last are bytes of a command line that are not UTF-8.
# Source: Extensible Markup Language (XML) 1.0, "Characters".
_NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")


def declared(template: Path) -> dict[str, Any]:
    """The parameters of a template, by their names."""
    try:
        found: dict[str, Any] = yaml_parse(template.read_text(encoding="utf-8")).get("Parameters", {})
    except OSError as error:
        raise Failure(f"{short(template)} cannot be read: {error}\n  Do:   name the folder that has it; `make build` makes .aws-sam/build.") from error
    return found


def name_and_value(parameter: str) -> tuple[str, str]:
    """The parts of `NAME=VALUE`."""
    name, equals, value = parameter.partition("=")
    if not (name and equals):
        raise Failure(
            f"{parameter!r} is not a parameter: write NAME=VALUE.\n"
            "  Why:  if it belongs to the value before it: make divides PARAMETERS at spaces.\n"
            "  Do:   give a value with spaces without make: python3 infra/aws deploy --parameter 'NAME=a value'"
        )
    return name, value


def read_from_samconfig(overrides: Any) -> dict[str, str]:
    """What SAM reads in `parameter_overrides`; fails where that is only a part of what is written there."""
    for text in _texts(overrides):
        _refuse_a_part(text)
    try:
        parameters: dict[str, str] = CfnParameterOverridesType().convert(overrides, None, None)
    except BadParameter as error:
        raise Failure(str(error)) from error
    return parameters


def refuse_unusable(parameters: Mapping[str, str], known: Collection[str]) -> None:
    """Fail for what the template does not have, which SAM leaves out without a message, and for what CloudFormation cannot take."""
    for name, value in parameters.items():
        if name not in known:
            like = difflib.get_close_matches(name, known, n=1)
            meant = f" Did you mean {like[0]}?" if like else ""
            raise Failure(f"template.yaml has no parameter {name!r}.{meant}\n  Do:   name one of {', '.join(sorted(known))}.")
        if found := _NOT_IN_XML.search(value):
            raise Failure(
                f"The value of the parameter {name} has the character U+{ord(found[0]):04X}, which CloudFormation cannot take.\n"
                "  Do:   leave it out; a value is UTF-8 text without control characters other than tabs and line breaks."
            )
        if (size := len(value.encode())) > _MOST_BYTES:
            raise Failure(
                f"The value of the parameter {name} has {size} bytes, and CloudFormation takes at most {_MOST_BYTES}.\n"
                "  Do:   give a shorter value; in place of Jwks, JwksUrl says where the keys are."
            )


def _texts(overrides: Any) -> list[str]:
    """The strings in which parameters are written, among lists and tables."""
    if isinstance(overrides, (list, tuple)):
        return [text for each in overrides for text in _texts(each)]
    return [overrides] if isinstance(overrides, str) and not overrides.startswith("file://") else []


def _refuse_a_part(text: str) -> None:
    """SAM looks for what it knows in the text, and passes over the rest."""
    for pattern in CfnParameterOverridesType.ordered_pattern_match:
        left, found = re.subn(pattern, "", f" {text.strip()}")
        if found:
            if left.strip():
                raise Failure(
                    f"SAM would pass over {left.strip()!r} in {text!r}.\n"
                    "  Why:  it divides parameters at spaces, and ends them at quotes.\n"
                    "  Do:   quote the value, with a backslash before each quote in it: 'Name=\"a value\"'."
                )
            return
