"""The emulator process of one instance: start, find, stop."""

from __future__ import annotations

import shutil
import socket
import subprocess
from dataclasses import asdict, dataclass

from .. import tools
from ..failure import Failure
from ..files import read_json, tail, write_json
from ..layout import Instance, short
from ..processes import Identity, command_line, end, holder_of, identify, listener_of, marked, wait_until
from . import ALL
from .base import MARKER, Emulator

# Limits to stop for good, and to save the data first: more orders take longer.
_STOP_SECONDS, _SAVE_SECONDS = 10.0, 120.0
_LOOPBACK = ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1"))


@dataclass(frozen=True)
class Running:
    """An emulator that `up` started, as recorded in the instance's folder."""

    emulator: Emulator
    process: Identity
    port: int

    def is_healthy(self) -> bool:
        """Whether it answers."""
        return self.emulator.is_healthy(self.port)


def running(instance: Instance) -> Running | None:
    """Our running emulator, whether or not it answers; None if there is none, or if another process has its id."""
    record = read_json(instance.record)
    try:
        found = _of_record(record) if record else None
    except (KeyError, TypeError, ValueError):
        return None
    return found if found and _is_ours(found) else None


def _of_record(record: dict[str, object]) -> Running:
    process = Identity(int(record["pid"]), str(record["started"]))
    return Running(ALL[str(record["emulator"])], process, int(record["port"]))


def last_port(instance: Instance) -> int | None:
    """The port of the last emulator, which may have been killed: open shells still use its addresses."""
    port = (read_json(instance.record) or {}).get("port")
    return port if isinstance(port, int) else None


def free_port() -> int:
    """A port on which nothing listens, at either loopback address."""
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port: int = probe.getsockname()[1]
        if not _accepts(port):
            return port


def refuse_taken_port(port: int, instance: Instance) -> None:
    """Fail if another process listens on the port."""
    if not _accepts(port):
        return
    holder = holder_of(port) or "a process that this user may not see"
    if any(str(emulator.launcher.name) in holder for emulator in ALL.values()):
        why, end = "that is another local cloud of Twolane", "stop it in its folder, with make down"
    else:
        why, end = "the local cloud needs this port, and did not start that process", "end that process"
    raise Failure(
        f"Port {port} is taken by {holder}.\n"
        f"  Why:  {why}.\n"
        f"  Do:   {end}, or choose another port: {instance.command('up', '--port', str(port + 11))}\n"
        f"        (make demo and make up take PORT={port + 11})"
    )


def start(emulator: Emulator, instance: Instance, port: int) -> Running:
    """Start an empty emulator, and wait until it answers."""
    # These files describe an earlier emulator's stack.
    for path in (instance.outputs, instance.deployed):
        path.unlink(missing_ok=True)
    shutil.rmtree(instance.temporary, ignore_errors=True)
    instance.emulator_log.unlink(missing_ok=True)
    return _start(emulator, instance, port)


def restart(instance: Instance, found: Running) -> Running:
    """Stop the emulator cleanly, functions included, and start it again on its port with all its data."""
    if not found.emulator.keeps_data:
        raise Failure(
            f"{found.emulator.title} keeps no data, so it cannot be restarted with them.\n"
            f"  Do:   start a new one: {instance.command('down')}; {instance.command('up')}; or restart a local cloud on MiniStack."
        )
    stop(instance, _SAVE_SECONDS)
    return _start(found.emulator, instance, found.port)


def _start(emulator: Emulator, instance: Instance, port: int) -> Running:
    refuse_taken_port(port, instance)
    instance.temporary.mkdir(parents=True, exist_ok=True)
    with instance.emulator_log.open("ab") as log:
        process = subprocess.Popen(
            [str(tools.python(emulator.tool_set)), str(emulator.launcher)],
            cwd=instance.folder,
            env=emulator.environment(instance, port),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    identity = identify(process.pid)
    if identity is not None:
        write_json(instance.record, {"emulator": emulator.name, **asdict(identity), "port": port})
        wait_until(lambda: process.poll() is not None or _answers(emulator, instance, port), emulator.ready_seconds)
    if process.poll() is not None or identity is None:
        stop(instance)
        refuse_taken_port(port, instance)
        raise Failure(f"{emulator.title} ended during its start:\n{tail(instance.emulator_log)}\n  Log:  {short(instance.emulator_log)}")
    if not _answers(emulator, instance, port):
        stop(instance)
        raise Failure(
            f"{emulator.title} did not answer within {emulator.ready_seconds:.0f} s and was stopped:\n{tail(instance.emulator_log)}\n"
            f"  Log:  {short(instance.emulator_log)}"
        )
    # It outlives this command. This prevents Popen's warning about a running process, which PYTHONWARNINGS may print.
    process.returncode = 0
    return Running(emulator, identity, port)


def stop(instance: Instance, grace: float = _STOP_SECONDS) -> list[int]:
    """Stop what `start` started, functions included, and remove its record; returns the ids of the ended processes.

    The emulator is killed if it does not end within `grace` seconds.
    """
    found = running(instance)
    marker = f"{MARKER}={instance.folder.resolve()}"
    ended = sorted({*marked(marker), *([found.process.pid] if found else [])})
    end(lambda: marked(marker), found.process if found else None, grace)
    if instance.record.exists():
        instance.record.unlink(missing_ok=True)
    return ended


def process_tree(instance: Instance) -> list[int]:
    """The ids of the emulator and its function processes."""
    return marked(f"{MARKER}={instance.folder.resolve()}")


def _is_ours(found: Running) -> bool:
    return identify(found.process.pid) == found.process and str(found.emulator.launcher) in command_line(found.process.pid)


def _answers(emulator: Emulator, instance: Instance, port: int) -> bool:
    """Whether the instance's emulator answers, and not another one that took the port a moment before."""
    return emulator.is_healthy(port) and listener_of(port) in {None, *process_tree(instance)}


def _accepts(port: int) -> bool:
    """Whether a process listens on the port at either address of `localhost`: clients may try either first."""
    return any(_accepts_at(family, address, port) for family, address in _LOOPBACK)


def _accepts_at(family: socket.AddressFamily, address: str, port: int) -> bool:
    try:
        with socket.socket(family) as probe:
            probe.settimeout(1)
            return probe.connect_ex((address, port)) == 0
    except OSError:  # a machine without IPv6
        return False
