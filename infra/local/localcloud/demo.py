"""`demo`: a stack, sample orders down every lane, and what to try next."""

from __future__ import annotations

import contextlib
import json
import subprocess
import threading
import time
import uuid
from collections.abc import Iterator, Mapping
from typing import TextIO

from . import commands
from .build_progress import BuildProgress
from .environment import build_target, without_aws
from .failure import Failure
from .layout import Project, short
from .prerequisites import check_rust
from .progress import Progress

_LANES = ("sync", "async", "bus")
# Demo's balances, by currency: enough for all sample orders but one.
_ACCOUNTS = {
    "EUR": "50000.00",
    "USD": "10000.00",
    "JPY": "100000",
    "GBP": "5000.00",
    "CHF": "5000.00",
    "BHD": "5000.000",
    "INR": "50000.00",
    "SEK": "1000.00",
}
_BUILD = ("cargo", "build", "--locked", "--package", "twolane")
# Concurrent requests of `twolane order`.
_CONCURRENCY = 8
_ORDER = '{"currency":"EUR","items":[{"sku":"SKU-1","quantity":2,"unitPriceMinor":1999}]}'


def demo(target: commands.Target) -> int:
    """Deploy a stack, send sample orders, print what to try next. The stack stays up."""
    check_rust()
    with _build_ahead(target.project):
        commands.up(target, reports=False)
    stack = commands.deployed(target.instance)
    environment = commands.environment_of(target.instance, stack)
    command_line = _build_command_line(target.project, environment)
    orders = target.project.root / "samples" / "orders.jsonl"
    code = _stock_and_fill(target.project, command_line, environment)
    for lane in _LANES:
        _warm_up(lane, command_line, environment)
        arguments = ["order", "--lane", lane, "--file", str(orders)]
        print(f"\n$ twolane order --lane {lane} --file {short(orders)}", flush=True)
        code = max(code, subprocess.run([command_line, *arguments], env=environment, check=False).returncode)
    _print_next(stack.outputs)
    return code


def _stock_and_fill(project: Project, command_line: str, environment: dict[str, str]) -> int:
    """Fill stock and demo's accounts for the sample orders of the bus lane."""
    stock = project.root / "samples" / "stock.csv"
    print(f"\n$ twolane stock load {short(stock)}", flush=True)
    runs = [["stock", "load", str(stock)], *(["account", "set", "demo", *account] for account in _ACCOUNTS.items())]
    for arguments in runs:
        if arguments[0] == "account":
            print(f"$ twolane {' '.join(arguments)}", flush=True)
        ran = subprocess.run([command_line, *arguments], env=environment, stdout=subprocess.DEVNULL, check=False)
        if ran.returncode:
            return ran.returncode
    return 0


def _warm_up(lane: str, command_line: str, environment: dict[str, str]) -> None:
    """Start as many instances of the lane's functions as the sample orders need, so that their times include no cold starts."""
    print(f"\nWarming up the {lane} lane with {_CONCURRENCY} orders", flush=True)
    orders = f'{{"order":{_ORDER}}}\n' * _CONCURRENCY
    arguments = ["order", "--lane", lane, "--file", "-", "--json"]
    # Failures occur again with the sample orders, which print them.
    subprocess.run([command_line, *arguments], env=environment, input=orders, text=True, stdout=subprocess.DEVNULL, check=False)


@contextlib.contextmanager
def _build_ahead(project: Project) -> Iterator[None]:
    """Compile `twolane` while tools are installed. If that fails, the later build prints the reason."""
    print("Compiling the command line twolane in the background; the functions are next", flush=True)
    environment = {**without_aws(), **build_target()}
    with subprocess.Popen(
        _BUILD, cwd=project.root, env=environment, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, errors="replace",
    ) as ahead:  # fmt: skip
        reader = threading.Thread(target=_show_progress, args=(ahead.stderr,))
        reader.start()
        try:
            yield
        except BaseException:
            ahead.terminate()
            raise
        finally:
            # Until the build ends. The pipe must not close before.
            reader.join()


def _show_progress(output: TextIO) -> None:
    details = Progress(steps=0)
    progress = BuildProgress(lambda text: details.detail(f"twolane: {text}"))
    for line in output:
        progress.read(line)


def _build_command_line(project: Project, environment: dict[str, str]) -> str:
    """Build `twolane`, with Cargo's progress; returns its path, which depends on Cargo's settings."""
    print("\nBuilding the command line twolane", flush=True)
    started = time.monotonic()
    command = [*_BUILD, "--message-format", "json-render-diagnostics"]
    built = subprocess.run(command, cwd=project.root, env=environment, stdout=subprocess.PIPE, text=True, check=False)
    if built.returncode:
        raise Failure("The command line twolane does not compile. Cargo's message is above.")
    print(f"Built in {time.monotonic() - started:.0f} s")
    # Only a message about a program has a path.
    executables = (json.loads(line).get("executable") for line in built.stdout.splitlines())
    return next(executable for executable in executables if executable)


def _print_next(outputs: Mapping[str, str]) -> None:
    api, websocket = outputs["ApiUrl"], outputs.get("WebSocketUrl")
    identifier, submitted = uuid.uuid4(), uuid.uuid4()
    token = '-H "Authorization: Bearer $TWOLANE_TOKEN"'
    print(
        f"""
The stack stays up. Try next:

  Point AWS tools, twolane and the commands below at this stack, with a token:
    eval "$(make -s env)"

  Wait for an order (201; the same line again: 200):
    curl -w '\\n' -i -X PUT {api}/sync/orders/{uuid.uuid4()} {token} -H 'Content-Type: application/json' -d '{_ORDER}'

  Queue an order (202), then get its status:
    curl -w '\\n' -i -X PUT {api}/async/orders/{identifier} {token} -H 'Content-Type: application/json' -d '{_ORDER}'
    curl -w '\\n' {api}/orders/{identifier} {token}

  Place an order on the bus (202). Three services vote on it. Get its status, with the votes:
    curl -w '\\n' -i -X PUT {api}/bus/orders/{submitted} {token} -H 'Content-Type: application/json' -d '{_ORDER}'
    sleep 3; curl -w '\\n' {api}/orders/{submitted} {token}

  Show and change the stock for orders of the bus lane:
    cargo run -q -p twolane -- stock show SKU-1
    cargo run -q -p twolane -- stock add SKU-1 40

  Watch the lanes race, on a page in your browser:
    cargo run -q -p twolane -- page

{_on_callbacks(websocket, token, identifier)}
  Become another user, with money for the bus lane:
    export TWOLANE_TOKEN=$(cargo run -q -p twolane -- token --subject alice)
    cargo run -q -p twolane -- account set alice EUR 500.00

  Stop the stack:
    make down""",
        flush=True,
    )


def _on_callbacks(websocket: str | None, token: str, identifier: uuid.UUID) -> str:
    """What to try with callbacks; without a WebSocket API, only how to place orders."""
    if websocket is None:
        return """  Place your own orders. This stack has no callbacks, so twolane polls the status service:
    cargo run -q -p twolane -- order --lane async
"""
    subscribe = f'{{"action":"subscribe","orderId":"{identifier}"}}'
    return f"""  Receive the outcome of every order, and the status of the queued one (npm install -g wscat):
    wscat -c {websocket} {token} -x '{subscribe}' -w 600

  Place your own orders, and watch all frames:
    cargo run -q -p twolane -- order --lane async
    cargo run -q -p twolane -- order --lane bus
    cargo run -q -p twolane -- watch
"""
