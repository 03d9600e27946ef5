"""`deploy`: build for AWS, deploy, print the outputs and what to do next."""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import replace
from pathlib import Path

from localcloud import sam
from localcloud.failure import Failure
from localcloud.layout import Project, short
from localcloud.output import discard_output
from localcloud.parameter_overrides import overrides
from localcloud.prerequisites import check_rust
from localcloud.progress import Progress
from localcloud.temporary import temporary_folder

from . import advice, architecture, environments, page, parameters, stack
from .account import Account, connect
from .build import BUILT, build_functions, make_executable
from .consent import require_answers
from .environments import Environment


def deploy(options: argparse.Namespace) -> int:
    """Build and deploy the stack."""
    project, progress = Project(Path(options.project).resolve()), Progress(steps=3)
    progress.step("Checking tools, credentials and region")
    environment = environments.read(project.samconfig, options.config_env)
    wanted, built = environment.parameters_with(options.parameter), Path(options.built or project.root / BUILT).resolve()
    template = built / "template.yaml" if options.built else project.template
    parameters.refuse_unusable(wanted, parameters.declared(template))
    if not options.built:
        check_rust()
    account = connect(options.profile, options.region or environment.region, options.endpoint_url)
    if not options.yes:
        require_answers("`deploy` shows the changes and asks before it makes them")
    name = options.stack_name or environment.stack
    found = stack.find(account, name)
    if found and found.is_beyond_update:
        raise _beyond_update(found, account, options)
    progress.detail(f"{'the' if found else 'a new'} stack {name}: {account}")
    # With --yes, SAM's guide does not ask either.
    guided = found is None and not options.yes
    if guided:
        _refuse_answers_that_cannot_be_saved(project.samconfig)
    with temporary_folder(project.root) as temporary:
        folder, processor = Path(temporary["TMPDIR"]), architecture.deployed_for(template, wanted, found)
        if options.built:
            architecture.refuse_other(built, processor)
            make_executable(built)
            progress.step(f"Using the functions built in {short(built)}")
        else:
            progress.step("Building the functions for AWS: release builds, which take minutes the first time")
            of_the_build = ["--config-env", environment.name, *overrides({**wanted, architecture.PARAMETER: processor}, folder)]
            build_functions(project, account.build_environment(), processor, of_the_build)
        if guided and name != environment.stack:
            progress.detail(f"SAM's guide saves its answers as the environment {environment.name}. `n` keeps the stack {environment.stack} there")
        progress.step(f"Deploying{': SAM asks for each setting; Enter takes the value of samconfig.toml' if guided else ''}")
        arguments = ["deploy", "--template-file", str(built / "template.yaml"), "--config-file", str(project.samconfig)]
        arguments += ["--config-env", environment.name, "--region", account.region, "--no-fail-on-empty-changeset"]
        arguments += ["--stack-name", name, "--s3-prefix", name, *overrides(wanted, folder)]
        arguments += ["--no-confirm-changeset"] if options.yes else ["--guided"] if guided else []
        _sam(project, account.environment(), arguments, "deployment")
    now, unread = _read_again(project, environment)
    if guided:
        name, account = _answered(now, environment, name, account)
        if stack.find(account, name) is None:
            _print_where_to_look(name, account, environment)
            return 0
        options.stack_name, options.region = name, account.region
    deployed = stack.find_usable(account, name)
    # SAM ends the same way without changes and if the user declines them.
    unchanged = found is not None and found.changed == deployed.changed
    _print_result(f"No changes: the stack {name} is as before" if unchanged else f"The stack {name} is deployed", deployed, account, options)
    if page.is_hosted(deployed):
        page.upload(project.root / "page", account, deployed, options.issuer_metadata)
    # The user may have named another processor in SAM's guide.
    architecture.refuse_other(built, architecture.deployed_for(built / "template.yaml", {}, deployed))
    if guided:
        _refuse_answers_saved_otherwise(now, environment, deployed, unread)
    return 0


def _beyond_update(found: stack.Stack, account: Account, options: argparse.Namespace) -> Failure:
    return Failure(
        f"The stack {found.name} is in {found.status}, which CloudFormation cannot update.\n"
        f"  Do:   {advice.make('destroy', options)}, then deploy again. The stack's events have the reason: in the console, or with\n"
        f"        aws cloudformation describe-stack-events --stack-name {found.name} --region {account.region}"
    )


def _refuse_answers_that_cannot_be_saved(samconfig: Path) -> None:
    """Fail if SAM could not save the answers to its questions: it saves them at the end of its guide, and fails if it cannot."""
    if not os.access(samconfig, os.W_OK):
        raise Failure(
            f"SAM's guide cannot save its answers in {short(samconfig)}, which cannot be written.\n"
            "  Do:   let this user write to it; or deploy without the guide: --yes (with make: ARGS=--yes), with the parameters that you need."
        )


def _read_again(project: Project, environment: Environment) -> tuple[Environment, Failure | None]:
    """The environment after SAM's guide. If it can no longer be read: the one before, and the failure."""
    try:
        return environments.read(project.samconfig, environment.name), None
    except Failure as failure:
        return environment, failure


def _refuse_answers_saved_otherwise(now: Environment, before: Environment, deployed: stack.Stack, unread: Failure | None) -> None:
    """Fail if SAM's guide has saved other values than the user gave: the next deployment would use them."""
    changed = {} if now == before else now.parameters
    other = sorted(name for name, value in changed.items() if deployed.parameters.get(name) != value)
    if unread or other:
        why = unread or f"it would read other values of {', '.join(other)}"
        raise Failure(
            "The stack is deployed with your answers, but SAM's guide has saved some of them wrong.\n"
            f"  Why:  {why}\n"
            f"  Do:   before the next deployment, correct [{now.name}.deploy.parameters] in samconfig.toml."
        )


def _answered(now: Environment, before: Environment, name: str, account: Account) -> tuple[str, Account]:
    """Name and region of the stack after SAM's guide. If the answers were saved, samconfig.toml has changed."""
    return (name, account) if now == before else (now.stack, replace(account, region=now.region or account.region))


def _print_where_to_look(name: str, account: Account, environment: Environment) -> None:
    print(
        f"\nSAM has ended without a failure, but the stack {name} does not exist in {account.region}. Either you declined the changes,\n"
        f"or you gave SAM another name or region than [{environment.name}] of samconfig.toml has.\n"
        "  Do:   see the outputs: aws cloudformation describe-stacks --stack-name NAME --region REGION --query 'Stacks[0].Outputs'\n"
        "        and name that stack from now on: make smoke STACK=NAME REGION=REGION"
    )


def _sam(project: Project, variables: dict[str, str], arguments: list[str], what: str) -> None:
    if not sam.in_foreground(arguments, project, variables):
        raise Failure(f"The {what} failed or was declined. SAM's message is above, with the first failure (CREATE_FAILED, UPDATE_FAILED).")


def _print_result(what: str, deployed: stack.Stack, account: Account, options: argparse.Namespace) -> None:
    width = max(map(len, deployed.outputs), default=0)
    lines = [f"\n{what}: {account}. Outputs:", *(f"  {name:<{width}}  {value}" for name, value in sorted(deployed.outputs.items()))]
    lines += ["\nNext:", f"  Test it, and clean up: {advice.make('smoke', options)}"]
    if "UserPoolId" in deployed.outputs:
        lines.append("  Create a user and a token: docs/deploying.md, \"Users and tokens\"")
    place = f"--lane async --stack-name {deployed.name} --region {account.region}"
    lines.append(f"  Place an order: TWOLANE_TOKEN=… cargo run -q -p twolane -- order {place}")
    if "AlarmTopicArn" in deployed.outputs:
        topic = deployed.outputs["AlarmTopicArn"]
        lines.append(f"  Receive alarms by email: aws sns subscribe --region {account.region} --topic-arn {topic} --protocol email --notification-endpoint YOU")
    lines.append(f"  Remove it: {advice.make('destroy', options)}")
    _print_or_keep("\n".join(lines))


def _print_or_keep(text: str) -> None:
    """Print the text; if standard output fails, for example on a full disk, print it on standard error."""
    try:
        print(text, flush=True)
    except BrokenPipeError:
        raise
    except OSError as error:
        discard_output()
        print(text, file=sys.stderr)
        raise Failure(f"Failed to write to standard output: {error.strerror}. The stack is deployed; its outputs are above.") from error
