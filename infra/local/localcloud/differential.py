"""The comparison of the emulators: one stack on each, one table of requests to both (tests/differential)."""

from __future__ import annotations

from . import commands, lanes, tools
from .emulators import ALL, LOCALSTACK, MINISTACK, Emulator
from .environment import command_environment
from .layout import Instance
from .localstack_suite import local
from .lanes import Step

_FOLDER = ".local/differential"
# Both stacks are the same: without what one of the emulators does not have.
_PARAMETERS = LOCALSTACK.stack_parameters
# Without the SDKs of other suites.
_SELECTION = ("--locked", "--package", "twolane-tests", "--package", "twolane", "--no-default-features", "--test", "differential")
_COMPARISON = ("cargo", "test", *_SELECTION, "--", "--include-ignored", "--nocapture")


def run(target: commands.Target) -> int:
    """Install, build, deploy to both, compare; what it ran on is told at the end."""
    commands.ensure_tools(target.project, (*(emulator.tool_set for emulator in ALL.values()), tools.SAM))
    # Functions first: cargo-lambda removes the other binaries.
    building = [local("functions", "build"), Step("comparison", ["cargo", "test", *_SELECTION, "--no-run"])]
    with commands.signals_as_interrupts():
        if any(outcome.code != 0 for outcome in lanes.run({"build": building}, target.project.root)):
            return 1
    one, other = (_target(target, emulator) for emulator in (MINISTACK, LOCALSTACK))
    with commands.fresh(one, True, _PARAMETERS) as running, commands.fresh(other, True, _PARAMETERS):
        environment = command_environment(one.instance, running.port)
        code = commands.run_command([*_COMPARISON], {**environment, **_other_stack(other.instance)})
    for emulator in (MINISTACK, LOCALSTACK):
        print(f"Compared on {', '.join(emulator.parts().values())}")
    return code


def _target(target: commands.Target, emulator: Emulator) -> commands.Target:
    folder = target.project.root / _FOLDER / emulator.name
    return commands.Target(target.project, Instance(folder), 0, emulator)


def _other_stack(instance: Instance) -> dict[str, str]:
    """What the comparison knows of the second stack; where it is and who issues its tokens is told by this file."""
    return {"TWOLANE_OTHER_OUTPUTS": str(instance.outputs.resolve())}
