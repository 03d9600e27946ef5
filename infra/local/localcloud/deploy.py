"""Runs `sam deploy` to the emulator, unless the same stack is already deployed there."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from types import MappingProxyType
from typing import Any

from . import cloudformation, issuer, sam
from .build import architecture
from .emulators.lifecycle import Running
from .environment import ACCOUNT, command_environment, endpoint
from .failure import Failure
from .files import read_json, tail
from .layout import Instance, Project, short
from .parameter_overrides import overrides
from .processes import wait_until
from .temporary import temporary_folder

STACK = "twolane-local"
# The usual origin of a page under development.
PAGE_ORIGIN = "http://localhost:3000"
_SETTLE_SECONDS = 120.0


def deploy(
    project: Project, instance: Instance, running: Running, say: Callable[[str], None], more: Mapping[str, str] = MappingProxyType({})
) -> tuple[dict[str, str], dict[str, Any]]:
    """Deploy the last build; returns the stack's outputs, and the new content of `deployed.json`.

    `more` are parameters in addition to those of every local stack.
    """
    parameters = {
        "LocalEndpoint": endpoint(running.port),
        "Architecture": architecture(),
        # The account of the credentials test/test.
        "RedriveRoleArn": f"arn:aws:iam::{ACCOUNT}:root",
        "CorsAllowedOrigins": PAGE_ORIGIN,
        **issuer.parameters(issuer.ensure(instance, running.emulator)),
        **running.emulator.stack_parameters,
        **more,
    }
    wanted = {"emulator": asdict(running.process), "fingerprint": fingerprint(project, parameters)}
    stack = _settled(instance, running.port)
    if stack and stack.is_healthy and read_json(instance.deployed) == wanted:
        say("nothing changed since the last deploy")
        return stack.outputs, wanted
    if stack and stack.is_beyond_update:
        say(f"the stack is in {stack.status}: deleting it first")
        instance.outputs.unlink(missing_ok=True)
        _delete(instance, running.port)
    instance.deployed.unlink(missing_ok=True)
    _sam_deploy(project, instance, running.port, parameters, say)
    stack = cloudformation.describe(running.port, STACK)
    if stack is None or not stack.is_healthy:
        raise _failed(instance, running.port)
    return stack.outputs, wanted


def fingerprint(project: Project, parameters: Mapping[str, str]) -> str:
    """A hash of everything that a deployment depends on: the built template, its artefacts, the files it includes, the parameters."""
    digest = hashlib.sha256(json.dumps(dict(parameters)).encode())
    digest.update(project.samconfig.read_bytes())
    for path in [*_files(project.build_folder), *_files(project.root / "infra", skip=("local",))]:
        digest.update(f"\n{path.relative_to(project.root)}\n".encode())
        with path.open("rb") as content:
            while chunk := content.read(1 << 20):
                digest.update(chunk)
    return digest.hexdigest()


def _files(folder: Path, skip: tuple[str, ...] = ()) -> list[Path]:
    """All files below a folder in a stable order."""
    return sorted(
        path for path in folder.rglob("*") if path.is_file() and path.relative_to(folder).parts[0] not in skip
    )


def _sam_deploy(project: Project, instance: Instance, port: int, parameters: Mapping[str, str], say: Callable[[str], None]) -> None:
    arguments = [
        "deploy",
        "--template-file", str(project.built_template),
        "--config-file", str(project.samconfig),
        "--config-env", "local",
        "--no-fail-on-empty-changeset",
        "--no-confirm-changeset",
    ]  # fmt: skip
    with temporary_folder(project.root) as temporary:
        arguments += overrides(parameters, Path(temporary["TMPDIR"]))
        if not sam.run([sam.command(arguments)], project, command_environment(instance, port, {}), instance.deploy_log, say):
            raise _failed(instance, port)


def _settled(instance: Instance, port: int) -> cloudformation.Stack | None:
    """The stack, after any update in progress: an interrupted `up` may have left one."""
    stack = cloudformation.describe(port, STACK)

    def settled() -> bool:
        nonlocal stack
        stack = cloudformation.describe(port, STACK)
        return stack is None or not stack.is_busy

    if stack is not None and stack.is_busy and not wait_until(settled, _SETTLE_SECONDS):
        raise Failure(
            f"The stack {STACK} has been in {stack.status} for {_SETTLE_SECONDS:.0f} s.\n"
            f"  Do:   {instance.command('down')}; {instance.command('up')}\n"
            "        The local cloud keeps no data."
        )
    return stack


def _delete(instance: Instance, port: int) -> None:
    cloudformation.delete(port, STACK)
    if not wait_until(lambda: cloudformation.describe(port, STACK) is None, _SETTLE_SECONDS):
        raise Failure(
            f"The failed stack {STACK} could not be deleted.\n"
            f"  Do:   {instance.command('down')}; {instance.command('up')}\n"
            "        The local cloud keeps no data."
        )


def _failed(instance: Instance, port: int) -> Failure:
    reasons = cloudformation.failure_reasons(port, STACK) if cloudformation.describe(port, STACK) else []
    details = "\n".join(f"    {reason}" for reason in reasons) or tail(instance.deploy_log)
    return Failure(
        f"The deployment failed:\n{details}\n"
        f"  Log:  {short(instance.deploy_log)}\n"
        "  Do:   correct the template and run the same command again. It replaces a failed stack."
    )
