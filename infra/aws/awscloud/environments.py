"""The environments of `samconfig.toml`: the stack, region and parameters of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomlkit
from localcloud.failure import Failure

from . import parameters

# The environment of `make up`, which adds parameters.
_LOCAL = "local"


@dataclass(frozen=True)
class Environment:
    """One environment: its name in the file, its stack, its region if it has one, and its parameters by name."""

    name: str
    stack: str
    region: str | None
    parameters: Mapping[str, str]

    def parameters_with(self, given: list[str]) -> dict[str, str]:
        """All parameters. Those given as `NAME=VALUE` override the environment's."""
        return {**self.parameters, **dict(map(parameters.name_and_value, given))}


def read(samconfig: Path, name: str) -> Environment:
    """An environment by its name."""
    try:
        document: Mapping[str, Any] = tomlkit.parse(samconfig.read_text(encoding="utf-8")).unwrap()
    except (OSError, tomlkit.exceptions.TOMLKitError) as error:
        raise Failure(f"{samconfig} cannot be read: {error}") from error
    known = [each for each, content in document.items() if isinstance(content, dict) and each != _LOCAL]
    if name not in known:
        why = "it is the local cloud; `make up` deploys there" if name == _LOCAL else "samconfig.toml has no environment with this name"
        raise Failure(f"The environment {name!r} cannot be deployed to AWS: {why}.\n  Do:   name one of {', '.join(known)}.")
    _refuse_a_profile(document[name], name)
    shared, deploy = (document[name].get(command, {}).get("parameters", {}) for command in ("global", "deploy"))
    stack = deploy.get("stack_name", shared.get("stack_name"))
    if stack is None:
        raise Failure(f"The environment {name!r} of {samconfig} has no stack_name.")
    try:
        # As SAM does, which also writes `Name=""` there.
        overrides = parameters.read_from_samconfig(deploy.get("parameter_overrides"))
    except Failure as failure:
        raise Failure(f"parameter_overrides of the environment {name!r} of {samconfig} cannot be read: {failure}") from failure
    return Environment(name, stack, deploy.get("region", shared.get("region")), overrides)


def _refuse_a_profile(environment: Mapping[str, Any], name: str) -> None:
    """Fail if samconfig.toml names a profile: SAM would use it instead of the checked credentials."""
    for command, content in environment.items():
        if profile := content.get("parameters", {}).get("profile"):
            raise Failure(
                f"samconfig.toml names the profile {profile!r} in [{name}.{command}.parameters].\n"
                f"  Do:   remove that line, and name the profile in the command: --profile {profile}, PROFILE={profile} with make, or AWS_PROFILE."
            )
