"""The subcommands."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from . import cloudformation, emulators, issuer, tools
from .browser import browser
from .build import build
from .deploy import STACK, deploy
from .emulators import Emulator, lifecycle
from .emulators.lifecycle import Running
from .environment import command_environment, command_settings, endpoint, foreign_names
from .failure import Failure
from .files import exclusive, exclusive_or_fail, holder_of, read_json, refuse_unwritable, shared, write_json
from .interrupts import signals_as_interrupts
from .layout import Instance, Project, short
from .prerequisites import check_python, check_rust
from .progress import Progress

DEFAULT_PORT = 4566


@dataclass(frozen=True)
class Target:
    """The project and instance of a subcommand. `emulator` and `port` may be absent: the user named neither. Port 0 is any free port."""

    project: Project
    instance: Instance
    port: int | None
    emulator: Emulator | None = None


@dataclass(frozen=True)
class Deployed:
    """A usable stack: its emulator, its outputs from that emulator, and the issuer that it trusts."""

    running: Running
    outputs: dict[str, str]
    issuer: dict[str, Any]


def _to_stderr(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _wait(holder: str) -> None:
    _to_stderr(f"Waiting for another command (pid {holder}) …")


def up(target: Target, built: bool = False, parameters: Mapping[str, str] = MappingProxyType({}), reports: bool = True) -> int:
    """Install, build, start and deploy what is missing or has changed. With `built`, deploy the last build.

    `parameters` are added to those of every local stack. With `reports`, print the outputs and what to do next.
    """
    progress = Progress(steps=5)
    instance, project = target.instance, target.project
    with exclusive(instance.lock, _wait):
        # Also before the long build.
        refuse_unwritable(instance.outputs)
        chosen = _emulator_for(target)
        progress.step("Checking Python and Rust")
        check_python()
        check_rust()
        progress.step("Tools")
        ensure_tools(project, (chosen.tool_set, tools.SAM), progress.detail)
        # Before the long build, to report a taken port at once.
        _port_for(target)
        if built:
            progress.step("Using the functions of the last build")
        else:
            progress.step(f"Building the functions (log: {short(instance.build_log)})")
            with exclusive(project.lock, _wait):
                build(project, instance, progress.detail)
        # It may have been taken during the build.
        port = _port_for(target)
        progress.step(f"{chosen.title} on {endpoint(port)} (log: {short(instance.emulator_log)})")
        running = _ensure_emulator(chosen, instance, port, progress.detail)
        progress.step(f"Deploying the stack {STACK} (log: {short(instance.deploy_log)})")
        with shared(project.lock):
            outputs, deployment = deploy(project, instance, running, progress.detail, parameters)
        try:
            write_json(instance.deployed, deployment)
            write_json(instance.outputs, outputs)
        except Failure:
            _report(instance, outputs, f"The stack is deployed ({progress.elapsed():.0f} s). Outputs")
            raise
    headline = f"The local cloud is up ({progress.elapsed():.0f} s). Outputs"
    if reports:
        _report(instance, outputs, f"{headline}, also in {short(instance.outputs)}")
    else:
        print(f"\n{headline}: {short(instance.outputs)}")
    return 0


def down(target: Target) -> int:
    """Stop what `up` started in this folder, and nothing else."""
    instance = target.instance
    # A running `up` would write its files after this removes them.
    with exclusive(instance.lock, _wait) if instance.folder.exists() else contextlib.nullcontext():
        gone = [path for path in (instance.outputs, instance.deployed, instance.issuer) if path.is_file()]
        for path in gone:
            path.unlink()
        ended = lifecycle.stop(instance)
        shutil.rmtree(instance.temporary, ignore_errors=True)
    if ended:
        print(f"Stopped the local cloud of {short(instance.folder)}: {_count(len(ended), 'process', 'processes')}.")
    else:
        print(f"Nothing was running for {short(instance.folder)}.")
    if gone:
        print(f"Removed {', '.join(short(path) for path in gone)}.")
    return 0


def restart(target: Target) -> int:
    """Restart the emulator, as after a reboot: data stay, connections and functions go."""
    instance = target.instance
    _running(instance)
    with exclusive(instance.lock, _wait):
        again = lifecycle.restart(instance, _running(instance))
        deployed = read_json(instance.deployed)
        if deployed is not None:
            # The restarted emulator still has the deployment.
            write_json(instance.deployed, {**deployed, "emulator": asdict(again.process)})
    print(f"Restarted the emulator of {short(instance.folder)} on {endpoint(again.port)} (pid {again.process.pid}).")
    return 0


def execute(target: Target, command: list[str], built: bool) -> int:
    """Run the command with a fresh instance and its environment; always stop the instance afterwards."""
    with fresh(target, built) as stack:
        print(f"Running: {shlex.join(command)}", flush=True)
        return run_command(command, environment_of(target.instance, stack))


@contextlib.contextmanager
def fresh(target: Target, built: bool, parameters: Mapping[str, str] = MappingProxyType({})) -> Iterator[Deployed]:
    """A fresh instance for this command only; it is always stopped afterwards."""
    instance = target.instance
    busy = f"Another command (pid {{holder}}) is using {short(instance.folder)}. Wait for it to end, or name another --dir."
    with exclusive_or_fail(instance.exec_lock, busy), signals_as_interrupts():
        if lifecycle.process_tree(instance) or lifecycle.running(instance):
            down(target)
        try:
            up(target, built, parameters)
            if lifecycle.running(instance) is None:
                raise Failure(f"The emulator has ended unexpectedly.\n  Log:  {short(instance.emulator_log)}")
            yield deployed(instance)
        finally:
            down(target)


def build_functions(target: Target) -> int:
    """Install and build, as `up` does."""
    progress = Progress(steps=2)
    progress.step("Tools")
    ensure_tools(target.project, (tools.SAM,), progress.detail)
    progress.step(f"Building the functions (log: {short(target.instance.build_log)})")
    with exclusive(target.project.lock, _wait):
        build(target.project, target.instance, progress.detail)
    return 0


def deployed(instance: Instance) -> Deployed:
    """The stack of the instance, as its emulator describes it: files may be those of an earlier one. Fails if the stack is not usable."""
    found = _running(instance)
    try:
        stack = cloudformation.describe(found.port, STACK)
    except Failure as failure:
        raise _not_usable(instance, str(failure).rstrip(".")) from failure
    if stack is None or not stack.is_healthy:
        raise _not_usable(instance, "nothing is deployed to it" if stack is None else f"the stack {STACK} is in {stack.status}")
    trusted = issuer.read(instance)
    if stack.parameters.get(issuer.KEYS) not in (None, issuer.parameters(trusted)[issuer.KEYS]):
        raise _not_usable(instance, f"the stack {STACK} trusts another issuer than that of {short(instance.issuer)}")
    if lifecycle.running(instance) != found:
        raise _not_usable(instance, "its emulator was restarted just now")
    return Deployed(found, stack.outputs, trusted)


def environment_of(instance: Instance, stack: Deployed) -> dict[str, str]:
    """All environment variables of a command that works with the stack."""
    return command_environment(instance, stack.running.port, stack.outputs)


def _not_usable(instance: Instance, why: str) -> Failure:
    return Failure(f"The local cloud of {short(instance.folder)} cannot be used now: {why}.\n  Do:   {_how_to_bring_up(instance)}")


def _running(instance: Instance) -> Running:
    found = lifecycle.running(instance)
    if found is None:
        raise _nothing_runs(instance)
    return found


def _nothing_runs(instance: Instance) -> Failure:
    return Failure(f"Nothing is running for {short(instance.folder)}.\n  Do:   {_how_to_bring_up(instance)}")


def _how_to_bring_up(instance: Instance) -> str:
    """The command that starts it; if another process is starting or stopping it, the advice to wait."""
    holder = holder_of(instance.lock)
    if holder in (None, str(os.getpid())):
        return instance.command("up")
    return f"wait until another command (pid {holder}) ends, then run the same command again"


def env(target: Target) -> int:
    """Shell lines for `eval`."""
    stack = deployed(target.instance)
    token = issuer.token(stack.issuer, stack.running.emulator)
    settings = {**command_settings(target.instance, stack.running.port, stack.outputs), "TWOLANE_TOKEN": token}
    if foreign_names():
        print(f"unset {' '.join(foreign_names())}")
    for name, value in settings.items():
        print(f"export {name}={shlex.quote(value)}")
    return 0


def status(target: Target, as_json: bool) -> int:
    """Print what runs for this folder; exit code 0 if the stack is usable, else 3."""
    found = _status(target.instance)
    if as_json:
        print(json.dumps(found, indent=2))
    elif not found["running"]:
        print(f"Nothing is running for {short(target.instance.folder)}.")
    else:
        health = "healthy" if found["healthy"] else "NOT ANSWERING"
        print(f"Emulator  {emulators.ALL[found['emulator']].title} on {found['endpoint']} (pid {found['pid']}), {health}")
        print(f"Stack     {STACK}: {found['stackStatus'] or 'not deployed'}")
        for name, value in found["outputs"].items():
            print(f"  {name} = {value}")
    return 0 if found["ready"] else 3


def install_tools(target: Target, names: list[str]) -> int:
    """Install tool sets. Standard output has only their bin folders."""
    ensure_tools(target.project, tuple(names))
    for name in names:
        print(tools.bin_folder(name))
    return 0


def find_browser(_target: Target) -> int:
    """Find or install Chromium. Standard output has only its path."""
    print(browser(lambda text: print(text, file=sys.stderr, flush=True)))
    return 0


def ensure_tools(project: Project, names: tuple[str, ...], say: Callable[[str], None] = _to_stderr) -> None:
    """Install missing tool sets. Does not wait for other commands if none is missing."""
    if not all(map(tools.is_installed, names)):
        with exclusive(project.lock, _wait):
            tools.install_all(names, say)


def _emulator_for(target: Target) -> Emulator:
    """The named emulator, else the running one, else the default."""
    running = lifecycle.running(target.instance)
    if running is None:
        return target.emulator or emulators.DEFAULT
    if target.emulator not in (None, running.emulator):
        raise Failure(
            f"The local cloud of {short(target.instance.folder)} already runs on {running.emulator.title}.\n"
            f"  Do:   {target.instance.command('down')}; {target.instance.command('up', '--emulator', target.emulator.name)}\n"
            "        or name another --dir."
        )
    return running.emulator


def _port_for(target: Target) -> int:
    running = lifecycle.running(target.instance)
    if running is None:
        usual = lifecycle.last_port(target.instance) or DEFAULT_PORT
        wanted = usual if target.port is None else target.port or lifecycle.free_port()
        lifecycle.refuse_taken_port(wanted, target.instance)
        return wanted
    if target.port not in (None, 0, running.port):
        raise Failure(
            f"The local cloud of {short(target.instance.folder)} already runs on port {running.port}.\n"
            f"  Do:   {target.instance.command('down')}; {target.instance.command('up', '--port', str(target.port))}\n"
            "        or leave --port out to keep using it."
        )
    return running.port


def _ensure_emulator(chosen: Emulator, instance: Instance, port: int, say: Callable[[str], None]) -> Running:
    running = lifecycle.running(instance)
    if running and running.is_healthy():
        say(f"already running (pid {running.process.pid})")
        return running
    if lifecycle.stop(instance):
        say("stopped an emulator that did not answer")
    started = lifecycle.start(chosen, instance, port)
    say(f"started (pid {started.process.pid})")
    return started


def _status(instance: Instance) -> dict[str, object]:
    running = lifecycle.running(instance)
    healthy = running is not None and running.is_healthy()
    stack = cloudformation.describe(running.port, STACK) if running and healthy else None
    return {
        "folder": str(instance.folder.resolve()),
        "running": running is not None,
        "healthy": healthy,
        "ready": bool(stack and stack.is_healthy and read_json(instance.outputs) == stack.outputs),
        "emulator": running.emulator.name if running else None,
        "pid": running.process.pid if running else None,
        "port": running.port if running else None,
        "endpoint": endpoint(running.port) if running else None,
        "stackStatus": stack.status if stack else None,
        "outputs": stack.outputs if stack else {},
    }


def _report(instance: Instance, outputs: dict[str, str], headline: str) -> None:
    print(f"\n{headline}:")
    width = max(map(len, outputs), default=0)
    for name, value in outputs.items():
        print(f"  {name:<{width}}  {value}")
    commands = {
        f'eval "$({instance.command("env")})"': "AWS tools in this shell talk to the local cloud",
        instance.command("status"): "what is running",
        instance.command("down"): "stop it",
    }
    width = max(map(len, commands))
    print("\nNext:", *(f"  {command:<{width}}  {what}" for command, what in commands.items()), sep="\n")


def run_command(command: list[str], environment: dict[str, str]) -> int:
    """Run the command with this process's input and output; returns its exit code."""
    try:
        child = subprocess.Popen(command, env=environment)
    except OSError as error:
        raise Failure(f"Cannot run {command[0]!r}: {error}") from error
    try:
        code = child.wait()
    except KeyboardInterrupt:
        child.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(10)
        child.kill()
        raise
    return code if code >= 0 else 128 - code


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def resolve(folder: str, project: str, port: int | None, emulator_name: str | None) -> Target:
    """The target that the command line names; a relative --dir is below the project."""
    root = Path(project).resolve()
    named = emulators.ALL[emulator_name] if emulator_name else None
    return Target(Project(root), Instance(Path(os.path.join(root, folder))), port, named)
