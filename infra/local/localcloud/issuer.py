"""The issuer of the tokens that the local stack accepts, with a separate key for each instance."""

from __future__ import annotations

import json
import subprocess
from typing import Any

from . import tools
from .emulators import Emulator
from .environment import without_aws
from .failure import Failure
from .files import OF_ITS_OWNER_ALONE, read_json, write_whole
from .layout import ISSUER, Instance, short

# Default owner of the orders of `demo`, `env` and `twolane`.
SUBJECT = "demo"
# The parameter that pins an issuer's keys.
KEYS = "Jwks"
# Lifetime of a token for a shell.
_SECONDS = 12 * 3600


def ensure(instance: Instance, emulator: Emulator) -> dict[str, Any]:
    """The instance's issuer, created if there is none. Only the file's owner can read it, from the first byte on."""
    found = read_json(instance.issuer)
    if found is not None:
        return found
    text = _run(emulator, ["new"])
    write_whole(instance.issuer, text, OF_ITS_OWNER_ALONE)
    return json.loads(text)


def read(instance: Instance) -> dict[str, Any]:
    """The instance's issuer, which `up` has created."""
    issuer = read_json(instance.issuer)
    if issuer is None:
        raise Failure(f"{short(instance.issuer)} is missing.\n  Do:   {instance.command('up')}")
    return issuer


def parameters(issuer: dict[str, Any]) -> dict[str, str]:
    """The stack's parameters with the issuer and its public key."""
    public = {name: value for name, value in issuer["key"].items() if name != "d"}
    keys = json.dumps({"keys": [public]}, separators=(",", ":"))
    return {"JwtIssuer": issuer["issuer"], "JwtAudience": issuer["audience"], KEYS: keys}


def token(issuer: dict[str, Any], emulator: Emulator) -> str:
    """A token for a shell."""
    return _run(emulator, ["token", SUBJECT, str(_SECONDS)], json.dumps(issuer)).strip()


def _run(emulator: Emulator, arguments: list[str], text: str = "") -> str:
    # Each emulator's tool set has `cryptography`.
    command = [str(tools.python(emulator.tool_set)), str(ISSUER), *arguments]
    ran = subprocess.run(command, input=text, capture_output=True, text=True, env=without_aws(), check=False)
    if ran.returncode:
        raise Failure(f"The local issuer failed:\n{ran.stderr}")
    return ran.stdout
