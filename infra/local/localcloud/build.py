"""Runs `sam build` with debug builds, the host's compiler and architecture; packs one archive of each function for all stacks."""

from __future__ import annotations

import platform
from collections.abc import Callable

from . import sam, tools
from .environment import REGION, path_with_sam, without_aws
from .failure import Failure
from .files import tail
from .layout import PACKER, Instance, Project, short

_ARCHITECTURES = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}


def architecture() -> str:
    """Lambda's name of the host's architecture: functions run as processes of the host."""
    machine = platform.machine().lower()
    if machine not in _ARCHITECTURES:
        raise Failure(f"Functions run as processes of this machine, but Lambda has no architecture {machine!r}.")
    return _ARCHITECTURES[machine]


def build(project: Project, instance: Instance, say: Callable[[str], None]) -> None:
    """Build every function and the template into the project's build folder."""
    base = without_aws()
    environment = {
        **base,
        "PATH": path_with_sam(base),
        "AWS_DEFAULT_REGION": REGION,
        "SAM_CLI_TELEMETRY": "0",
        "SAM_BUILD_MODE": "debug",
        # The host's compiler and linker, not the cross linker (zig) for Lambda's older libraries.
        "CARGO_LAMBDA_COMPILER": "cargo",
    }
    arguments = [
        "build",
        "--template-file", str(project.template),
        "--config-file", str(project.samconfig),
        "--config-env", "local",
        "--build-dir", str(project.build_folder),
        "--parameter-overrides", f"Architecture={architecture()}",
    ]  # fmt: skip
    commands = [sam.command(arguments)]
    if functions := of_all_functions(project):
        # All at once; SAM compiles one after the other.
        compilation = ["cargo", "lambda", "build", *functions]
        commands = [compilation, *commands, [str(tools.python(tools.SAM)), str(PACKER), str(project.built_template)]]
    if not sam.run(commands, project, environment, instance.build_log, say):
        raise Failure(f"The build failed:\n{tail(instance.build_log)}\n  Log:  {short(instance.build_log)}")


def of_all_functions(project: Project) -> list[str]:
    """Cargo's options for all functions of a project; none if it has none."""
    names = sorted(manifest.parent.name for manifest in project.root.glob("functions/*/Cargo.toml"))
    return [word for name in names for word in ("--package", name, "--bin", name)]
