"""Information about processes: an identity that is safe against reused process ids, listeners, process trees.

Uses /proc on Linux. Other systems use `ps`, and lack the functions that need /proc.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
_LISTEN = "0A"
_KILL_SECONDS = 10.0


@dataclass(frozen=True)
class Identity:
    """A process id and its start time, which together identify one process."""

    pid: int
    started: str


def identify(pid: int) -> Identity | None:
    """The identity of a running process; None if it has ended, reaped or not."""
    if _PROC.joinpath("self").exists():
        fields = _stat(pid)
        return None if fields is None or fields[0] in "ZX" else Identity(pid, fields[19])
    shown = _ps(pid, "lstart=")
    return Identity(pid, shown) if shown else None


def command_line(pid: int) -> str:
    """The command line, words joined by spaces; empty if it cannot be read."""
    try:
        return (_PROC / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        return _ps(pid, "command=")


def marked(marker: str) -> list[int]:
    """Processes with `marker` (`NAME=value`) in their environment: our children, even orphaned ones."""
    wanted = marker.encode()
    found = []
    for pid in _all():
        try:
            environment = (_PROC / str(pid) / "environ").read_bytes().split(b"\0")
        except OSError:
            continue
        if wanted in environment and pid != os.getpid():
            found.append(pid)
    return found


def listeners(pids: Iterable[int]) -> set[tuple[str, int]]:
    """Addresses (hexadecimal, as in /proc) and ports on which the processes listen."""
    inodes = {inode for pid in pids for inode in _socket_inodes(pid)}
    return {(address, port) for address, port, inode in _listening() if inode in inodes}


def holder_of(port: int) -> str | None:
    """`pid 123: command …` of the process that listens on the port, if the system shows it."""
    pid = listener_of(port)
    return None if pid is None else f"pid {pid}: {command_line(pid)[:200]}"


def listener_of(port: int) -> int | None:
    """The id of the process that listens on the port, if the system shows it."""
    wanted = {inode for _, listening, inode in _listening() if listening == port}
    return next((pid for pid in _all() if wanted & set(_socket_inodes(pid))), None) if wanted else None


def end(pids: Callable[[], list[int]], leader: Identity | None, grace: float) -> None:
    """Send SIGTERM to the leader, then SIGKILL to its process group and to all remaining `pids`; wait until all have ended.

    The leader, which must lead a separate process group, gets `grace` seconds to end. `pids` is called repeatedly, because new
    processes may appear.
    """
    if leader is not None and identify(leader.pid) == leader:
        _signal(leader.pid, signal.SIGTERM)
        wait_until(lambda: identify(leader.pid) != leader, grace)
        _signal_group(leader.pid, signal.SIGKILL)
    deadline = time.monotonic() + _KILL_SECONDS
    while (left := [pid for pid in pids() if identify(pid)]) and time.monotonic() < deadline:
        for pid in left:
            _signal(pid, signal.SIGKILL)
        wait_until(lambda: not any(identify(pid) for pid in left), 1.0)


def wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    """Wait until the condition is true, checking it every 20 ms; returns whether it became true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() >= deadline:
            return False
        time.sleep(0.02)
    return True


def _signal(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass


def _signal_group(leader: int, number: signal.Signals) -> None:
    try:
        os.killpg(leader, number)
    except (ProcessLookupError, PermissionError):  # macOS raises the latter for a group of zombies
        pass


def _all() -> list[int]:
    if not _PROC.joinpath("self").exists():
        return []
    return [int(name) for name in os.listdir(_PROC) if name.isdigit()]


def _stat(pid: int) -> list[str] | None:
    """The fields of /proc/PID/stat after the command name, which may contain spaces and parentheses."""
    try:
        return (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None


def _socket_inodes(pid: int) -> list[str]:
    folder = _PROC / str(pid) / "fd"
    inodes = []
    try:
        for name in os.listdir(folder):
            target = os.readlink(folder / name)
            if target.startswith("socket:["):
                inodes.append(target[8:-1])
    except OSError:
        pass
    return inodes


def _listening() -> list[tuple[str, int, str]]:
    rows = []
    for table in ("tcp", "tcp6"):
        try:
            lines = (_PROC / "net" / table).read_text().splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            fields = line.split()
            if fields[3] == _LISTEN:
                address, _, port = fields[1].rpartition(":")
                rows.append((address, int(port, 16), fields[9]))
    return rows


def _ps(pid: int, column: str) -> str:
    try:
        answer = subprocess.run(["ps", "-o", column, "-p", str(pid)], capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return answer.stdout.strip()
