"""`build`: release builds of all functions for AWS."""

from __future__ import annotations

import argparse
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from localcloud import sam
from localcloud.build import of_all_functions
from localcloud.environment import release_environment
from localcloud.failure import Failure
from localcloud.files import refuse_unwritable
from localcloud.layout import Project
from localcloud.prerequisites import check_rust

from . import architecture

_ARM64 = "arm64"
# Where `sam build` leaves the functions.
BUILT = Path(".aws-sam") / "build"
# Permissions to read and to execute.
_FOR_ALL = 0o555


def build(options: argparse.Namespace) -> int:
    """Build for one processor, by default the template's. Needs no account."""
    project = Project(Path(options.project).resolve())
    check_rust()
    processor = options.architecture or architecture.deployed_for(project.template, {}, None)
    build_functions(project, release_environment(), processor, ["--parameter-overrides", f"{architecture.PARAMETER}={processor}"])
    return 0


def build_functions(project: Project, environment: Mapping[str, str], processor: str, arguments: Sequence[str]) -> None:
    """Compile all functions with one command, then run `sam build`, which finds them compiled.

    SAM alone would compile them one after the other. Linking one takes a processor about a minute; together they use all processors.
    """
    refuse_unwritable(project.root / BUILT / "template.yaml")
    if functions := of_all_functions(project):
        command = ["cargo", "lambda", "build", "--release", *(["--arm64"] if processor == _ARM64 else []), *functions]
        if subprocess.run(command, cwd=project.root, env=dict(environment), check=False).returncode:
            raise Failure("The functions do not compile. The compiler's message is above.")
    if not sam.in_foreground(["build", *arguments], project, environment):
        raise Failure("`sam build` failed. Its message is above.")
    make_executable(project.root / BUILT)


def make_executable(built: Path) -> None:
    """Let every user execute the functions in the folder: Lambda does not run them as their owner.

    With a umask such as 077, only the owner may execute them. SAM packs their permissions, and adds only the permission to read.
    Source: AWS Lambda Developer Guide, "Creating a Deployment Package", "Permissions Policies on Lambda Deployment Packages".
    """
    for bootstrap in built.glob("*/bootstrap"):
        mode = bootstrap.stat().st_mode
        if mode & _FOR_ALL != _FOR_ALL:
            bootstrap.chmod(mode | _FOR_ALL)
