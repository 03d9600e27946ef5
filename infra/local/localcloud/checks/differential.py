"""Compares the emulators: deploys the same stack on each, and sends one table of requests to both (tests/differential)."""

from __future__ import annotations

from .. import commands, tools
from ..emulators import LOCALSTACK, MINISTACK, Emulator
from ..lanes import Lane, Step
from ..layout import Instance, Project
from . import suites

_FOLDER = ".local/differential"
# The same on both, without features that one of them lacks.
_PARAMETERS = LOCALSTACK.stack_parameters
# The same packages as for `make test`, to reuse what it compiled.
_SELECTION = ("--locked", "--workspace", "--all-features", "--test", "differential")
# With its progress, and with the tests that need both stacks.
_COMPARISON = ("cargo", "test", *_SELECTION, "--", "--include-ignored", "--nocapture")


def run(target: commands.Target) -> int:
    """Install, build, deploy to both, compare, stop both, and print the versions of both."""
    commands.ensure_tools(target.project, (MINISTACK.tool_set, LOCALSTACK.tool_set, tools.SAM))
    # Functions first: cargo-lambda moves their binaries to target/lambda.
    building = [suites.local("functions", "build"), Step("comparison", ["cargo", "test", *_SELECTION, "--no-run"])]
    if suites.in_lanes(target, {"build": Lane(building)}) != 0:
        return 1
    code = _compare(_stack_on(MINISTACK, target.project), _stack_on(LOCALSTACK, target.project))
    print("\nCompared")
    for emulator in (MINISTACK, LOCALSTACK):
        print(f"  {'; '.join(dict.fromkeys(emulator.parts().values()))}")
    return code


def _compare(one: commands.Target, other: commands.Target) -> int:
    """Run the tests. They find the first stack by the usual variables, the second one by its file of outputs."""
    with commands.fresh(one, True, _PARAMETERS) as stack, commands.fresh(other, True, _PARAMETERS):
        second = {"TWOLANE_OTHER_OUTPUTS": str(other.instance.outputs.resolve())}
        return commands.run_command([*_COMPARISON], {**commands.environment_of(one.instance, stack), **second})


def _stack_on(emulator: Emulator, project: Project) -> commands.Target:
    """A stack in a separate folder and on a free port."""
    return commands.Target(project, Instance(project.root / _FOLDER / emulator.name), 0, emulator)
