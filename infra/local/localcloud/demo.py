"""The demonstration: a stack, sample orders down both lanes, and what to try next."""

from __future__ import annotations

import contextlib
import json
import subprocess
import time
import uuid
from collections.abc import Iterator, Mapping

from . import commands
from .environment import build_target, without_aws
from .failure import Failure
from .layout import Project, short
from .prerequisites import check_rust

_LANES = ("sync", "async")
_BUILD = ("cargo", "build", "--locked", "--package", "twolane")
_ORDER = '{"currency":"EUR","items":[{"sku":"SKU-1","quantity":2,"unitPriceMinor":1999}]}'


def demo(target: commands.Target) -> int:
    """Everything a newcomer wants to see, with one command; the stack stays up."""
    check_rust()
    with _build_ahead(target.project):
        commands.up(target)
    stack = commands.deployed(target.instance)
    environment = commands.environment_of(target.instance, stack)
    command_line = _build_command_line(target.project, environment)
    orders = target.project.root / "samples" / "orders.jsonl"
    code = 0
    for lane in _LANES:
        arguments = ["order", "--lane", lane, "--file", str(orders)]
        print(f"\n$ twolane order --lane {lane} --file {short(orders)}", flush=True)
        code = max(code, subprocess.run([command_line, *arguments], env=environment, check=False).returncode)
    _print_next(stack.outputs)
    return code


@contextlib.contextmanager
def _build_ahead(project: Project) -> Iterator[None]:
    """Compile `twolane` while tools are installed; if that fails, the build in the foreground says why."""
    print("Compiling the command line twolane meanwhile; the functions follow it", flush=True)
    environment = {**without_aws(), **build_target()}
    ahead = subprocess.Popen([*_BUILD, "--quiet"], cwd=project.root, env=environment, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield
    except BaseException:
        ahead.terminate()
        raise
    finally:
        ahead.wait()


def _build_command_line(project: Project, environment: dict[str, str]) -> str:
    """Build `twolane`, with Cargo's own progress; where Cargo puts it, which settings of the user's decide."""
    print("\nBuilding the command line twolane", flush=True)
    started = time.monotonic()
    command = [*_BUILD, "--message-format", "json-render-diagnostics"]
    built = subprocess.run(command, cwd=project.root, env=environment, stdout=subprocess.PIPE, text=True, check=False)
    if built.returncode:
        raise Failure("The command line could not be built; Cargo's message is above.")
    print(f"Built in {time.monotonic() - started:.0f} s")
    # Only the message about a program has one.
    executables = (json.loads(line).get("executable") for line in built.stdout.splitlines())
    return next(executable for executable in executables if executable)


def _print_next(outputs: Mapping[str, str]) -> None:
    api, websocket = outputs["ApiUrl"], outputs.get("WebSocketUrl")
    identifier = uuid.uuid4()
    token = '-H "Authorization: Bearer $TWOLANE_TOKEN"'
    print(
        f"""
The stack stays up. Try next:

  Point AWS tools, twolane and the lines below at this stack, with a token for them:
    eval "$(make -s env)"

  Wait for an order (201; the same line again: 200):
    curl -w '\\n' -i -X PUT {api}/sync/orders/{uuid.uuid4()} {token} -H 'Content-Type: application/json' -d '{_ORDER}'

  Queue an order (202), then ask how it stands:
    curl -w '\\n' -i -X PUT {api}/async/orders/{identifier} {token} -H 'Content-Type: application/json' -d '{_ORDER}'
    curl -w '\\n' {api}/orders/{identifier} {token}

{_on_callbacks(websocket, token, identifier)}
  Be somebody else:
    export TWOLANE_TOKEN=$(cargo run -q -p twolane -- token --subject alice)

  End it:
    make down""",
        flush=True,
    )


def _on_callbacks(websocket: str | None, token: str, identifier: uuid.UUID) -> str:
    """What to try of callbacks; where there is no WebSocket API, only to place orders."""
    if websocket is None:
        return """  Place orders of your own; this stack has no callbacks, so they are asked for:
    cargo run -q -p twolane -- order --lane async
"""
    subscribe = f'{{"action":"subscribe","orderId":"{identifier}"}}'
    return f"""  Listen to every order, and hear how that one stands (npm install -g wscat):
    wscat -c {websocket} {token} -x '{subscribe}' -w 600

  Place orders of your own, and watch all frames:
    cargo run -q -p twolane -- order --lane async
    cargo run -q -p twolane -- watch
"""
