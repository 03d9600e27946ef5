"""The command line of `python3 infra/local`."""

from __future__ import annotations

import argparse
import sys

from . import commands, demo, emulators, tools
from .checks import audit, differential, lint, localstack_suite, prose, selftest, suites
from .failure import Failure
from .layout import REPOSITORY
from .subcommands import add_subcommand

_OWN_FOLDER = ".local"
_EXEC_FOLDER = ".local/test"


def main(arguments: list[str]) -> int:
    """Parse, run, and turn failures into a message and an exit code."""
    own, command = _split(arguments)
    options = _parser().parse_args(own)
    if command and options.subcommand != "exec":
        _parser().error("only `exec` takes a command after --")
    try:
        return _dispatch(options, command)
    except Failure as failure:
        print(f"\nerror: {failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt as interrupt:
        print("\nInterrupted.", file=sys.stderr)
        return 128 + (interrupt.args[0] if interrupt.args else 2)


def _split(arguments: list[str]) -> tuple[list[str], list[str]]:
    """Our arguments, and those after the first `--`."""
    if "--" not in arguments:
        return arguments, []
    cut = arguments.index("--")
    return arguments[:cut], arguments[cut + 1 :]


def _dispatch(options: argparse.Namespace, command: list[str]) -> int:
    target = commands.resolve(
        getattr(options, "dir", _OWN_FOLDER),
        getattr(options, "project", str(REPOSITORY)),
        getattr(options, "port", None),
        getattr(options, "emulator", None),
    )
    match options.subcommand:
        case "up":
            return commands.up(target)
        case "demo":
            return demo.demo(target)
        case "build":
            return commands.build_functions(target)
        case "down":
            return commands.down(target)
        case "restart":
            return commands.restart(target)
        case "exec":
            if not command:
                raise Failure("exec needs a command: python3 infra/local exec -- cargo test -p tests")
            return commands.execute(target, command, options.built)
        case "env":
            return commands.env(target)
        case "status":
            return commands.status(target, options.json)
        case "tools":
            return commands.install_tools(target, options.sets)
        case "browser":
            return commands.find_browser(target)
        case "lint":
            return lint.run(target)
        case "audit":
            return audit.run(target, options.require_advisories)
        case "prose":
            return prose.run(target, options.paths)
        case "check":
            return suites.check(target)
        case "tests":
            return suites.tests(target)
        case "test-localstack":
            return localstack_suite.run(target)
        case "differential":
            return differential.run(target)
        case _:
            return selftest.run(target, options.patterns)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python3 infra/local",
        description="The local cloud: a local AWS emulator with this repository's stack deployed to it.",
    )
    subcommands = parser.add_subparsers(dest="subcommand", required=True, metavar="COMMAND")

    up = _add(subcommands, "up", "install, build, start the emulator, deploy",
              ["up", "up --port 4577", 'up --dir .local/second --port 0   # a second one, on a free port',
               "up --emulator localstack-core   # on LocalStack's open-source core, without callbacks"])
    _folder(up, _OWN_FOLDER)
    _emulator(up)
    _port(up, None, f"port on 127.0.0.1, 0 for a free port (default: that of the running instance, else {commands.DEFAULT_PORT})")

    demonstration = _add(subcommands, "demo", "run `up`, send sample orders down every lane, and print what to try next",
                ["demo", "demo --port 4577", "demo --emulator localstack-core"])
    _folder(demonstration, _OWN_FOLDER)
    _emulator(demonstration)
    _port(demonstration, None, f"port on 127.0.0.1, 0 for a free port (default: that of the running instance, else {commands.DEFAULT_PORT})")

    build = _add(subcommands, "build", "only build the functions, as `up` does", ["build"])
    _folder(build, _OWN_FOLDER)

    down = _add(subcommands, "down", "stop only what `up` started", ["down", "down --dir .local/second"])
    _folder(down, _OWN_FOLDER)

    restart = _add(subcommands, "restart", "restart the emulator with all its data",
                   ["restart", "restart --dir .local/second"])
    _folder(restart, _OWN_FOLDER)

    execute = _add(subcommands, "exec", "run a command with a fresh, separate instance, then stop the instance",
                   ["exec -- cargo test -p tests", "exec --dir .local/test --port 0 -- env"])
    execute.usage = "python3 infra/local exec [-h] [--dir FOLDER] [--emulator NAME] [--port PORT] [--built] -- COMMAND [ARGUMENT …]"
    _folder(execute, _EXEC_FOLDER)
    _emulator(execute)
    execute.add_argument("--built", action="store_true", help="deploy the last build; do not build")
    _port(execute, 0, "port on 127.0.0.1, 0 for a free port (default: 0)")

    env = _add(subcommands, "env", "print shell lines that point AWS tools at the local cloud",
               ['env', 'eval "$(python3 infra/local env)"'])
    _folder(env, _OWN_FOLDER)

    status = _add(subcommands, "status", "show what is running (exit code 3: not ready)", ["status", "status --json"])
    _folder(status, _OWN_FOLDER)
    status.add_argument("--json", action="store_true", help="one JSON object instead of text")

    install = _add(subcommands, "tools", "install sets of pinned tools and print their bin folders",
                   ["tools sam", 'PATH="$(python3 infra/local tools test):$PATH" npm --version'])
    install.add_argument("sets", nargs="+", choices=tools.SETS, help="ministack; localstack: LocalStack core, dynoxide; sam: AWS SAM, cfn-lint, cargo-lambda; test: Node and npm; "
                              "checkov; cargo: cargo-deny, cargo-shear; prose: typos")

    _add(subcommands, "browser", "find Chromium, or install Debian's as root, and print its path", ["browser"])

    _add(subcommands, "lint", "run cfn-lint and checkov on template.yaml and SAM's expansion of it, and actionlint on workflows", ["lint"])

    audit = _add(subcommands, "audit", "run cargo-deny and cargo-shear on the Rust dependencies",
                 ["audit", "audit --require-advisories   # in CI that reaches the advisory database"])
    _project(audit, "a Cargo.toml and a deny.toml")
    audit.add_argument("--require-advisories", action="store_true", help="fail, not skip, when the advisory database cannot be fetched")

    text = _add(subcommands, "prose", "list banned words, long sentences and misspellings in documents, comments, help and descriptions",
                ["prose", "prose README.md docs   # only there"])
    _project(text, "texts")
    text.add_argument("paths", nargs="*", metavar="PATH", help="only these files and folders (default: all)")

    _add(subcommands, "check", "check formatting, lints and documentation, run `lint`, `audit` and `prose`, and print how long each step took", ["check"])

    _add(subcommands, "tests", "run `check` and every test, in concurrent lanes, and print how long each step took", ["tests"])

    _add(subcommands, "test-localstack", "run the end-to-end tests on LocalStack's open-source core, without Docker or a token",
                      ["test-localstack"])

    _add(subcommands, "differential", "send one table of requests to a stack on each emulator, and compare answers and records field by field",
         ["differential"])

    selftest = _add(subcommands, "selftest", "test the local cloud itself", ["selftest", "selftest velocity throttle"])
    selftest.add_argument("patterns", nargs="*", metavar="PATTERN", help="run only tests with one of these in the name")
    return parser


def _add(subcommands: argparse._SubParsersAction, name: str, summary: str, examples: list[str]) -> argparse.ArgumentParser:
    return add_subcommand(subcommands, "python3 infra/local", name, summary, examples)


def _folder(parser: argparse.ArgumentParser, default: str) -> None:
    parser.add_argument("--dir", default=default, metavar="FOLDER", help=f"state files of this instance (default: {default})")
    _project(parser, "template.yaml and samconfig.toml")


def _project(parser: argparse.ArgumentParser, content: str) -> None:
    parser.add_argument("--project", default=str(REPOSITORY), metavar="FOLDER", help=f"folder with {content} (default: this repository)")


def _emulator(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--emulator", choices=emulators.ALL, default=None,
                        help=f"emulator to run on (default: the one that runs in that folder, else {emulators.DEFAULT.name})")


def _port(parser: argparse.ArgumentParser, default: int | None, text: str) -> None:
    parser.add_argument("--port", type=_port_number, default=default, help=text)


def _port_number(text: str) -> int:
    if text.isdigit() and int(text) < 65536:
        return int(text)
    raise argparse.ArgumentTypeError(f"{text!r} is not a port number (0 to 65535)")
