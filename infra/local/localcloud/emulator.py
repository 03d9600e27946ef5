"""The emulator process of one instance: start, find, end."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import urllib.error
import urllib.request
from dataclasses import asdict, dataclass
from pathlib import Path

from . import tools
from .environment import aws_settings, loopback_without_proxy, without_aws
from .failure import Failure
from .files import read_json, tail, write_json
from .layout import LAUNCHER, Instance, short
from .processes import Identity, command_line, end, holder_of, identify, listener_of, marked, wait_until

_READY_SECONDS = 30.0
_MARKER = "TWOLANE_LOCAL_CLOUD"

# Loopback is never reached through the user's proxy.
_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(frozen=True)
class Running:
    """An emulator that `up` started, as recorded in the instance's folder."""

    process: Identity
    port: int


def running(instance: Instance) -> Running | None:
    """Our emulator, alive, whether it answers or not; None when there is none or the process id is another's now."""
    record = read_json(instance.record)
    try:
        found = Running(Identity(int(record["pid"]), str(record["started"])), int(record["port"])) if record else None
    except (KeyError, TypeError, ValueError):
        return None
    return found if found and _is_ours(found.process) else None


def last_port(instance: Instance) -> int | None:
    """The port of the last emulator, which may have been killed: its addresses are in people's shells."""
    port = (read_json(instance.record) or {}).get("port")
    return port if isinstance(port, int) else None


def is_healthy(port: int) -> bool:
    """Whether a MiniStack answers on the port."""
    try:
        with _direct.open(f"http://127.0.0.1:{port}/_ministack/health", timeout=5) as answer:
            return "version" in json.load(answer)
    except (OSError, ValueError, urllib.error.URLError):
        return False


def free_port() -> int:
    """A loopback port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def refuse_taken_port(port: int) -> None:
    """Fail with a message that helps when somebody else listens on the port."""
    if not _accepts(port):
        return
    holder = holder_of(port) or "a process that this user may not see"
    if LAUNCHER.name in holder:
        why, end = "that is another local cloud of Twolane", "end it where it was started, with make down"
    else:
        why, end = "the local cloud wants to listen there, and that process was not started by it", "end that process"
    raise Failure(
        f"Port {port} is taken by {holder}.\n"
        f"  Why:  {why}.\n"
        f"  Do:   {end}, or choose another port: make up PORT={port + 11}\n"
        f"        (python3 infra/local up --port {port + 11})"
    )


def start(instance: Instance, port: int) -> Running:
    """Start an emulator that knows nothing, and wait until it answers."""
    shutil.rmtree(instance.state, ignore_errors=True)
    instance.emulator_log.unlink(missing_ok=True)
    return _start(instance, port)


def restart(instance: Instance, found: Running) -> Running:
    """End the emulator in good order, functions included, and start it again on its port with all its data."""
    stop(instance)
    return _start(instance, found.port)


def _start(instance: Instance, port: int) -> Running:
    refuse_taken_port(port)
    instance.temporary.mkdir(parents=True, exist_ok=True)
    with instance.emulator_log.open("ab") as log:
        process = subprocess.Popen(
            [str(tools.python(tools.EMULATOR)), str(LAUNCHER)],
            cwd=instance.folder,
            env=_environment(instance, port),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    identity = identify(process.pid)
    if identity is not None:
        write_json(instance.record, {**asdict(identity), "port": port})
        wait_until(lambda: process.poll() is not None or _answers(instance, port), _READY_SECONDS)
    if process.poll() is not None or identity is None:
        stop(instance)
        refuse_taken_port(port)
        raise Failure(f"The emulator ended at once:\n{tail(instance.emulator_log)}\n  Log:  {short(instance.emulator_log)}")
    if not _answers(instance, port):
        stop(instance)
        raise Failure(
            f"The emulator did not answer within {_READY_SECONDS:.0f} s and was ended:\n{tail(instance.emulator_log)}\n"
            f"  Log:  {short(instance.emulator_log)}"
        )
    return Running(identity, port)


def stop(instance: Instance) -> list[int]:
    """End what `start` started, functions included, and remove its record; returns the ids of what was ended."""
    found = running(instance)
    marker = f"{_MARKER}={instance.folder.resolve()}"
    ended = sorted({*marked(marker), *([found.process.pid] if found else [])})
    end(lambda: marked(marker), found.process if found else None)
    instance.record.unlink(missing_ok=True)
    return ended


def process_tree(instance: Instance) -> list[int]:
    """The emulator and the function processes it spawned."""
    return marked(f"{_MARKER}={instance.folder.resolve()}")


def _is_ours(process: Identity) -> bool:
    return identify(process.pid) == process and str(LAUNCHER) in command_line(process.pid)


def _answers(instance: Instance, port: int) -> bool:
    """Whether the instance's own emulator answers: another one may have taken the port a moment before."""
    return is_healthy(port) and listener_of(port) in {None, *process_tree(instance)}


def _accepts(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _environment(instance: Instance, port: int) -> dict[str, str]:
    """Functions inherit this: they reach the emulator by AWS_ENDPOINT_URL and know no other credentials."""
    base = without_aws()
    return {
        **base,
        **aws_settings(port),
        **loopback_without_proxy(base),
        "GATEWAY_PORT": str(port),
        "BIND_HOST": "127.0.0.1",
        # Policies are enforced: a function may do what its role allows, the credentials test/test may do everything.
        "AUTH": "true",
        "IOT_MTLS_ENABLED": "0",
        # Written when it is ended in good order, read when it is started again: for `restart`.
        "PERSIST_STATE": "1",
        "PYTHONUNBUFFERED": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "TMPDIR": str(Path(instance.temporary).resolve()),
        "STATE_DIR": str(instance.state.resolve()),
        _MARKER: str(instance.folder.resolve()),
    }
