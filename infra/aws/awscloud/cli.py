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
    """Parse, run, and turn what a user can act on into a message and an exit code."""
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
    """Starts anew with the Python of the tool set `sam`, unless this is it: that one has AWS's SDK, in SAM's own version."""
    if Path(sys.prefix).resolve() == (tools.TOOLS_FOLDER / tools.SAM).resolve():
        return
    check_python()
    tools.install_all((tools.SAM,), lambda text: print(text, file=sys.stderr, flush=True))
    python = str(tools.python(tools.SAM))
    sys.stdout.flush()
    # The user's PYTHONPATH would give it other modules, and PYTHONHOME another prefix: then this would start again without end.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    os.execve(python, [python, str(_MAIN), *arguments], environment)


def _dispatch(options: argparse.Namespace) -> int:
    # Not before there is the SDK.
    from botocore.exceptions import BotoCoreError, ClientError

    from . import build, deploy, destroy, page, smoke

    commands = {"build": build.build, "deploy": deploy.deploy, "destroy": destroy.destroy, "page": page.page, "smoke": smoke.smoke}
    try:
        return commands[options.subcommand](options)
    except (BotoCoreError, ClientError) as error:
        raise Failure(
            f"AWS refused or did not answer: {error}\n"
            "  Do:   if access is denied, see docs/deploying.md, \"Who may deploy\"; otherwise run the same command again."
        ) from error


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python3 infra/aws",
        description="This repository's stack on AWS: deploy it, try it out, remove it. docs/deploying.md tells more.",
    )
    subcommands = parser.add_subparsers(dest="subcommand", required=True, metavar="COMMAND")

    build = add_subcommand(subcommands, "python3 infra/aws", "build", "build the functions for AWS, and deploy nothing; needs no account",
                           ["build", "build --architecture x86_64"])  # fmt: skip
    build.add_argument("--architecture", choices=["arm64", "x86_64"], help="processor of the functions (default: the template's)")
    _project(build)

    deploy = _add(subcommands, "deploy", "build the functions and deploy the stack; the first time, SAM asks for every setting",
                  ["deploy", "deploy --config-env prod --parameter MaximumConcurrency=50",
                   "deploy --config-env prod --yes               # in CI"])  # fmt: skip
    deploy.add_argument("--parameter", action="append", default=[], metavar="NAME=VALUE",
                        help="a parameter of template.yaml, instead of the environment's; may be given again")
    deploy.add_argument("--built", metavar="FOLDER", help="deploy what `sam build --build-dir FOLDER` has built, and build nothing")
    _issuer_metadata(deploy)
    deploy.add_argument("--yes", action="store_true", help="ask nothing")

    page = _add(subcommands, "page", "upload the page to a stack that hosts it, as `deploy` does after each deployment",
                ["page", "page --stack-name twolane-dev --region eu-central-1"])  # fmt: skip
    _issuer_metadata(page)

    smoke = _add(subcommands, "smoke", "run the end-to-end tests that fit any stack, and leave nothing behind",
                 ["smoke", "smoke --stack-name twolane-dev --region eu-central-1", "smoke sync_lane async_lane",
                  "smoke --tokens tokens.txt                    # where users are not in a Cognito user pool"])  # fmt: skip
    smoke.add_argument("patterns", nargs="*", metavar="PATTERN", help="only tests with a word in their name that begins with one of these")
    smoke.add_argument("--tokens", metavar="FILE",
                       help="access tokens, one a line, each of somebody else who orders nothing meanwhile (default: of users made in "
                            "the stack's user pool, and deleted again)")  # fmt: skip
    smoke.add_argument("--user-pool-id", metavar="ID", help="another Cognito user pool whose tokens the stack accepts (default: the stack's)")
    smoke.add_argument("--user-pool-client-id", metavar="ID", help="its client (default: the stack's)")
    smoke.add_argument("--yes", action="store_true", help="do not ask whether the costs are all right")

    destroy = _add(subcommands, "destroy", "delete the stack, and say what outlives it and how to remove that",
                   ["destroy", "destroy --delete-data                        # orders and users too",
                    "destroy --config-env dev --yes --delete-data # in CI"])  # fmt: skip
    destroy.add_argument("--delete-data", action="store_true", help="delete the tables of orders, stock, payments and shipments and the user pool too, unless they are protected")
    destroy.add_argument("--yes", action="store_true", help="ask nothing")
    return parser


def _add(subcommands: argparse._SubParsersAction, name: str, summary: str, examples: list[str]) -> argparse.ArgumentParser:
    parser = add_subcommand(subcommands, "python3 infra/aws", name, summary, examples)
    parser.add_argument("--config-env", default="dev", metavar="NAME", help="environment of samconfig.toml (default: dev)")
    parser.add_argument("--stack-name", metavar="NAME", help="another stack than the environment's")
    parser.add_argument("--region", help="AWS region (default: the environment's, else that of your AWS configuration)")
    parser.add_argument("--profile", help="AWS profile (default: that of your AWS configuration)")
    parser.add_argument("--endpoint-url", metavar="URL", help="where an emulator answers instead of AWS; no environment variable counts as that")
    _project(parser)
    return parser


def _issuer_metadata(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--issuer-metadata", metavar="URL",
                        help="where the issuer publishes its OpenID Connect metadata (default: ISSUER/.well-known/openid-configuration); for a stack that hosts the page")  # fmt: skip


def _project(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--project", default=str(REPOSITORY), metavar="FOLDER",
                        help="folder with template.yaml and samconfig.toml (default: this repository)")  # fmt: skip
