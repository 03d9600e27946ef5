"""The comparison of the emulators: the same stack on each, and one table of requests to both (tests/differential)."""

from __future__ import annotations

from . import commands, lanes, tools
from .emulators import LOCALSTACK, MINISTACK, Emulator
from .environment import build_target, command_environment
from .interrupts import signals_as_interrupts
from .lanes import Step
from .layout import Instance, Project
from .localstack_suite import local

_FOLDER = ".local/differential"
# The same on both: without what one of them does not have.
_PARAMETERS = LOCALSTACK.stack_parameters
# As for the end-to-end tests on LocalStack: what was compiled for those is there.
_SELECTION = ("--locked", "--package", "twolane-tests", "--package", "twolane", "--no-default-features", "--test", "differential")
# With its progress, and with the tests that need both stacks.
_COMPARISON = ("cargo", "test", *_SELECTION, "--", "--include-ignored", "--nocapture")


def run(target: commands.Target) -> int:
    """Install, build, deploy to both, compare, end both; what it ran on is told at the end."""
    commands.ensure_tools(target.project, (MINISTACK.tool_set, LOCALSTACK.tool_set, tools.SAM))
    building = [
        # Functions first: cargo-lambda removes the other binaries.
        local("functions", "build"),
        # For the target that the comparison is run for.
        Step("comparison", ["env", *(f"{name}={value}" for name, value in build_target().items()), "cargo", "test", *_SELECTION, "--no-run"]),
    ]
    with signals_as_interrupts():
        if any(outcome.code != 0 for outcome in lanes.run({"build": building}, target.project.root)):
            return 1
    code = _compare(_stack_on(MINISTACK, target.project), _stack_on(LOCALSTACK, target.project))
    print("\nCompared")
    for emulator in (MINISTACK, LOCALSTACK):
        print(f"  {'; '.join(dict.fromkeys(emulator.parts().values()))}")
    return code


def _compare(one: commands.Target, other: commands.Target) -> int:
    """The tests know the first stack by the environment of every command, the second one by its outputs' file."""
    with commands.fresh(one, True, _PARAMETERS) as running, commands.fresh(other, True, _PARAMETERS):
        second = {"TWOLANE_OTHER_OUTPUTS": str(other.instance.outputs.resolve())}
        return commands.run_command([*_COMPARISON], {**command_environment(one.instance, running.port), **second})


def _stack_on(emulator: Emulator, project: Project) -> commands.Target:
    """A stack in a folder and on a port of its own."""
    return commands.Target(project, Instance(project.root / _FOLDER / emulator.name), 0, emulator)
