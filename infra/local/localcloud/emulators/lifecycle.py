"""The emulator process of one instance: start, find, end."""

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
    """Our emulator, alive, whether it answers or not; None when there is none or the process id is another's now."""
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
    """The port of the last emulator, which may have been killed: its addresses are in people's shells."""
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
    """Fail with a message that helps when somebody else listens on the port."""
    if not _accepts(port):
        return
    holder = holder_of(port) or "a process that this user may not see"
    if any(str(emulator.launcher.name) in holder for emulator in ALL.values()):
        why, end = "that is another local cloud of Twolane", "end it where it was started, with make down"
    else:
        why, end = "the local cloud wants to listen there, and that process was not started by it", "end that process"
    raise Failure(
        f"Port {port} is taken by {holder}.\n"
        f"  Why:  {why}.\n"
        f"  Do:   {end}, or choose another port: {instance.command('up', '--port', str(port + 11))}"
    )


def start(emulator: Emulator, instance: Instance, port: int) -> Running:
    """Start an emulator that knows nothing, and wait until it answers."""
    # These describe the stack of an emulator that is gone. No reader may take them for the new one's.
    for path in (instance.outputs, instance.deployed):
        path.unlink(missing_ok=True)
    shutil.rmtree(instance.temporary, ignore_errors=True)
    instance.emulator_log.unlink(missing_ok=True)
    return _start(emulator, instance, port)


def restart(instance: Instance, found: Running) -> Running:
    """End the emulator in good order, functions included, and start it again on its port with all its data."""
    if not found.emulator.keeps_data:
        raise Failure(
            f"{found.emulator.title} keeps no data, so it cannot be started again with them.\n"
            f"  Do:   {instance.command('down')}; {instance.command('up')}: a new one; or restart a local cloud on MiniStack."
        )
    stop(instance)
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
        raise Failure(f"{emulator.title} ended at once:\n{tail(instance.emulator_log)}\n  Log:  {short(instance.emulator_log)}")
    if not _answers(emulator, instance, port):
        stop(instance)
        raise Failure(
            f"{emulator.title} did not answer within {emulator.ready_seconds:.0f} s and was ended:\n{tail(instance.emulator_log)}\n"
            f"  Log:  {short(instance.emulator_log)}"
        )
    # It outlives this command. Popen warns about a process that was not waited for, and PYTHONWARNINGS may print that.
    process.returncode = 0
    return Running(emulator, identity, port)


def stop(instance: Instance) -> list[int]:
    """End what `start` started, functions included, and remove its record; returns the ids of what was ended."""
    found = running(instance)
    marker = f"{MARKER}={instance.folder.resolve()}"
    ended = sorted({*marked(marker), *([found.process.pid] if found else [])})
    end(lambda: marked(marker), found.process if found else None)
    if instance.record.exists():
        instance.record.unlink(missing_ok=True)
    return ended


def process_tree(instance: Instance) -> list[int]:
    """The emulator and the function processes it spawned."""
    return marked(f"{MARKER}={instance.folder.resolve()}")


def _is_ours(found: Running) -> bool:
    return identify(found.process.pid) == found.process and str(found.emulator.launcher) in command_line(found.process.pid)


def _answers(emulator: Emulator, instance: Instance, port: int) -> bool:
    """Whether the instance's own emulator answers: another one may have taken the port a moment before."""
    return emulator.is_healthy(port) and listener_of(port) in {None, *process_tree(instance)}


def _accepts(port: int) -> bool:
    """Whether something listens on the port, at either address that `localhost` stands for: clients may try the other one first."""
    return any(_accepts_at(family, address, port) for family, address in _LOOPBACK)


def _accepts_at(family: socket.AddressFamily, address: str, port: int) -> bool:
    try:
        with socket.socket(family) as probe:
            probe.settimeout(1)
            return probe.connect_ex((address, port)) == 0
    except OSError:  # a machine without IPv6
        return False
