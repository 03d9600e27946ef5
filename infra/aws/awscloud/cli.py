"""The command line of `python3 infra/aws`."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from localcloud import tools
from localcloud.failure import Failure
from localcloud.layout import REPOSITORY
from localcloud.prerequisites import check_python
from localcloud.subcommands import add_subcommand

_MAIN = Path(__file__).resolve().parent.parent


def main(arguments: list[str]) -> int:
    """Parse, run, and turn failures into a message and an exit code."""
    options = _parser().parse_args(arguments)
    try:
        _run_with_the_python_of_sam(arguments)
        return _dispatch(options)
    except Failure as failure:
        print(f"\nerror: {failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt as interrupt:
        print("\nInterrupted.", file=sys.stderr)
        return 128 + (interrupt.args[0] if interrupt.args else 2)


def _run_with_the_python_of_sam(arguments: list[str]) -> None:
    """Restart with the Python of the tool set `sam`, unless this is it: it has the AWS SDK, in the version that SAM uses."""
    if Path(sys.prefix).resolve() == (tools.TOOLS_FOLDER / tools.SAM).resolve():
        return
    check_python()
    tools.install_all((tools.SAM,), lambda text: print(text, file=sys.stderr, flush=True))
    python = str(tools.python(tools.SAM))
    sys.stdout.flush()
    # PYTHONPATH would give it other modules, and PYTHONHOME another prefix: it would restart endlessly.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    os.execve(python, [python, str(_MAIN), *arguments], environment)


def _dispatch(options: argparse.Namespace) -> int:
    # These need the SDK.
    from botocore.exceptions import BotoCoreError, ClientError

    from . import build, deploy, destroy, page, smoke

    commands = {"build": build.build, "deploy": deploy.deploy, "destroy": destroy.destroy, "page": page.page, "smoke": smoke.smoke}
    try:
        return commands[options.subcommand](options)
    except (BotoCoreError, ClientError) as error:
        raise Failure(
            f"A call to AWS failed: {error}\n"
            "  Do:   if access is denied, see docs/deploying.md, \"Who may deploy\"; otherwise run the same command again."
        ) from error


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python3 infra/aws",
        description="This repository's stack on AWS: deploy it, test it, remove it. See docs/deploying.md.",
    )
    subcommands = parser.add_subparsers(dest="subcommand", required=True, metavar="COMMAND")

    build = add_subcommand(subcommands, "python3 infra/aws", "build", "build the functions for AWS without deploying; needs no account",
                           ["build", "build --architecture x86_64"])  # fmt: skip
    build.add_argument("--architecture", choices=["arm64", "x86_64"], help="processor of the functions (default: the template's)")
    _project(build)

    deploy = _add(subcommands, "deploy", "build the functions and deploy the stack; the first time, SAM asks for every setting",
                  ["deploy", "deploy --config-env prod --parameter MaximumConcurrency=50",
                   "deploy --config-env prod --yes               # in CI"])  # fmt: skip
    deploy.add_argument("--parameter", action="append", default=[], metavar="NAME=VALUE",
                        help="a parameter of template.yaml, instead of the environment's; repeatable")
    deploy.add_argument("--built", metavar="FOLDER", help="deploy what `sam build --build-dir FOLDER` has built; do not build")
    _issuer_metadata(deploy)
    deploy.add_argument("--yes", action="store_true", help="do not ask any questions")

    page = _add(subcommands, "page", "upload the page to a stack that hosts it, as `deploy` does after each deployment",
                ["page", "page --stack-name twolane-dev --region eu-central-1"])  # fmt: skip
    _issuer_metadata(page)

    smoke = _add(subcommands, "smoke", "run the end-to-end tests that work on any stack, and clean up",
                 ["smoke", "smoke --stack-name twolane-dev --region eu-central-1", "smoke sync_lane async_lane",
                  "smoke --tokens tokens.txt                    # where users are not in a Cognito user pool"])  # fmt: skip
    smoke.add_argument("patterns", nargs="*", metavar="PATTERN", help="only tests with a word in their name that begins with one of these")
    smoke.add_argument("--tokens", metavar="FILE",
                       help="file with access tokens, one per line, each of another user. These users place no other orders meanwhile. "
                            "Default: create users in the stack's user pool, and delete them at the end")  # fmt: skip
    smoke.add_argument("--user-pool-id", metavar="ID", help="another Cognito user pool that the stack accepts tokens of (default: the stack's)")
    smoke.add_argument("--user-pool-client-id", metavar="ID", help="client of that user pool (default: the stack's)")
    smoke.add_argument("--yes", action="store_true", help="do not ask whether to accept the cost")

    destroy = _add(subcommands, "destroy", "delete the stack, and print what outlives it and how to remove that",
                   ["destroy", "destroy --delete-data                        # orders and users too",
                    "destroy --config-env dev --yes --delete-data # in CI"])  # fmt: skip
    destroy.add_argument("--delete-data", action="store_true", help="also delete the tables of orders, stock, payments and shipments, and the user pool; fails if one is protected")
    destroy.add_argument("--yes", action="store_true", help="do not ask any questions")
    return parser


def _add(subcommands: argparse._SubParsersAction, name: str, summary: str, examples: list[str]) -> argparse.ArgumentParser:
    parser = add_subcommand(subcommands, "python3 infra/aws", name, summary, examples)
    parser.add_argument("--config-env", default="dev", metavar="NAME", help="environment in samconfig.toml (default: dev)")
    parser.add_argument("--stack-name", metavar="NAME", help="name of the stack (default: the environment's)")
    parser.add_argument("--region", help="AWS region (default: the environment's, else that of your AWS configuration)")
    parser.add_argument("--profile", help="AWS profile (default: that of your AWS configuration)")
    parser.add_argument("--endpoint-url", metavar="URL", help="URL of an emulator to use instead of AWS; environment variables do not set it")
    _project(parser)
    return parser


def _issuer_metadata(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--issuer-metadata", metavar="URL",
                        help="where the issuer publishes its OpenID Connect metadata (default: ISSUER/.well-known/openid-configuration); for a stack that hosts the page")  # fmt: skip


def _project(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--project", default=str(REPOSITORY), metavar="FOLDER",
                        help="folder with template.yaml and samconfig.toml (default: this repository)")  # fmt: skip
