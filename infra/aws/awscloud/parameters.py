"""Parameters of a deployment. Each reaches the stack as typed, or is refused with the reason before the build."""

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

# Largest value. Source: AWS CloudFormation User Guide, "Understand CloudFormation quotas", "Parameter values".
_MOST_BYTES = 4096
# Excluded by XML, in which CloudFormation answers. The last range stands for bytes of a command line that are not
# UTF-8. Source: Extensible Markup Language (XML) 1.0, "Characters".
_NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")


def declared(template: Path) -> dict[str, Any]:
    """The parameters of a template, by name."""
    try:
        found: dict[str, Any] = yaml_parse(template.read_text(encoding="utf-8")).get("Parameters", {})
    except OSError as error:
        raise Failure(f"{short(template)} cannot be read: {error}\n  Do:   name its folder; `make build` creates .aws-sam/build.") from error
    return found


def name_and_value(parameter: str) -> tuple[str, str]:
    """The parts of `NAME=VALUE`."""
    name, equals, value = parameter.partition("=")
    if not (name and equals):
        raise Failure(
            f"{parameter!r} is not a parameter: write NAME=VALUE.\n"
            "  Why:  it may be part of the value before it: make splits PARAMETERS at spaces.\n"
            "  Do:   pass a value with spaces without make: python3 infra/aws deploy --parameter 'NAME=a value'"
        )
    return name, value


def read_from_samconfig(overrides: Any) -> dict[str, str]:
    """What SAM reads from `parameter_overrides`; fails if SAM would ignore a part of it."""
    for text in _texts(overrides):
        _refuse_a_part(text)
    try:
        parameters: dict[str, str] = CfnParameterOverridesType().convert(overrides, None, None)
    except BadParameter as error:
        raise Failure(str(error)) from error
    return parameters


def refuse_unusable(parameters: Mapping[str, str], known: Collection[str]) -> None:
    """Fail for a parameter that the template does not have, which SAM ignores silently, and for a value that CloudFormation refuses."""
    for name, value in parameters.items():
        if name not in known:
            like = difflib.get_close_matches(name, known, n=1)
            meant = f" Did you mean {like[0]}?" if like else ""
            raise Failure(f"template.yaml has no parameter {name!r}.{meant}\n  Do:   name one of {', '.join(sorted(known))}.")
        if found := _NOT_IN_XML.search(value):
            raise Failure(
                f"The value of the parameter {name} has the character U+{ord(found[0]):04X}, which CloudFormation refuses.\n"
                "  Do:   leave it out. A value is UTF-8 text; its only control characters are tabs and line breaks."
            )
        if (size := len(value.encode())) > _MOST_BYTES:
            raise Failure(
                f"The value of the parameter {name} has {size} bytes; the maximum of CloudFormation is {_MOST_BYTES}.\n"
                "  Do:   shorten the value. Instead of Jwks, set JwksUrl to the URL of the keys."
            )


def _texts(overrides: Any) -> list[str]:
    """The strings with parameters, in nested lists."""
    if isinstance(overrides, (list, tuple)):
        return [text for each in overrides for text in _texts(each)]
    return [overrides] if isinstance(overrides, str) and not overrides.startswith("file://") else []


def _refuse_a_part(text: str) -> None:
    """Fail if SAM would ignore a part of the text: it searches for parameters in it and skips the rest."""
    for pattern in CfnParameterOverridesType.ordered_pattern_match:
        left, found = re.subn(pattern, "", f" {text.strip()}")
        if found:
            if left.strip():
                raise Failure(
                    f"SAM would ignore {left.strip()!r} in {text!r}.\n"
                    "  Why:  it splits parameters at spaces, and ends them at quotes.\n"
                    "  Do:   quote the value, with a backslash before each quote in it: 'Name=\"a value\"'."
                )
            return
