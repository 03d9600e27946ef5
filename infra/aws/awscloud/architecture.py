"""Compares the processor that functions were built for with the one they are deployed for.

Lambda accepts a program for another processor, and then fails at every invocation.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from localcloud.failure import Failure
from localcloud.layout import short

from .parameters import declared
from .stack import Stack

PARAMETER = "Architecture"
# e_machine, bytes 18 and 19 of a little-endian program, and Lambda's name for it.
# Source: ELF-64 Object File Format, "File header"; elf.h, EM_X86_64 and EM_AARCH64.
_MACHINES = {0x3E: "x86_64", 0xB7: "arm64"}


def deployed_for(template: Path, parameters: Mapping[str, str], found: Stack | None) -> str:
    """The value of the parameter after the deployment: the given one, else the stack's, else the template's default."""
    kept = {**(found.parameters if found else {}), **parameters}
    if PARAMETER in kept:
        return kept[PARAMETER]
    try:
        return declared(template)[PARAMETER]["Default"]
    except KeyError as error:
        raise Failure(f"{short(template)} has no parameter {PARAMETER} with a default, so it is not Twolane's template.") from error


def refuse_other(built: Path, wanted: str) -> None:
    """Fail if a function in the folder was built for another processor."""
    other = {machine for bootstrap in built.glob("*/bootstrap") if (machine := _machine(bootstrap)) not in (None, wanted)}
    if other:
        raise Failure(
            f"The functions in {short(built)} were built for {' and '.join(sorted(other))}, but the parameter {PARAMETER} is {wanted}:"
            " Lambda cannot run them.\n"
            f"  Do:   build them for it: make build {PARAMETER.upper()}={wanted}; or set the parameter to what was built, in samconfig.toml or\n"
            f"        with --parameter {PARAMETER}=NAME (with make: PARAMETERS={PARAMETER}=NAME)."
        )


def _machine(program: Path) -> str | None:
    """The processor of a Linux program; None for other files, such as a macOS program for an emulator."""
    try:
        with program.open("rb") as opened:
            header = opened.read(20)
    except OSError as error:
        raise Failure(f"A function cannot be read: {error}\n  Do:   build again: make build") from error
    return _MACHINES.get(int.from_bytes(header[18:20], "little"), "another processor") if header[:4] == b"\x7fELF" else None
