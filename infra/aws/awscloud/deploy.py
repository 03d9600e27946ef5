"""`deploy`: build for AWS, deploy, print what there is now and what to do next."""

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
    """Everything from the sources to a stack."""
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
        require_answers("`deploy` shows what it will change and asks")
    name = options.stack_name or environment.stack
    found = stack.find(account, name)
    if found and found.is_beyond_update:
        raise _beyond_update(found, account, options)
    progress.detail(f"{'the' if found else 'a new'} stack {name}: {account}")
    # Whoever asks for nothing gets no guide either.
    guided = found is None and not options.yes
    if guided:
        _refuse_answers_that_cannot_be_saved(project.samconfig)
    with temporary_folder(project.root) as temporary:
        folder, processor = Path(temporary["TMPDIR"]), architecture.deployed_for(template, wanted, found)
        if options.built:
            architecture.refuse_other(built, processor)
            make_executable(built)
            progress.step(f"The functions as they were built in {short(built)}")
        else:
            progress.step("Building the functions for AWS: release builds, minutes the first time")
            of_the_build = ["--config-env", environment.name, *overrides({**wanted, architecture.PARAMETER: processor}, folder)]
            build_functions(project, account.build_environment(), processor, of_the_build)
        if guided and name != environment.stack:
            progress.detail(f"SAM's guide saves its answers as the environment {environment.name}. `n` keeps the stack {environment.stack} there")
        progress.step(f"Deploying{': SAM asks for each setting, and Enter takes what samconfig.toml says' if guided else ''}")
        arguments = ["deploy", "--template-file", str(built / "template.yaml"), "--config-file", str(project.samconfig)]
        arguments += ["--config-env", environment.name, "--region", account.region, "--no-fail-on-empty-changeset"]
        arguments += ["--stack-name", name, "--s3-prefix", name, *overrides(wanted, folder)]
        arguments += ["--no-confirm-changeset"] if options.yes else ["--guided"] if guided else []
        _sam(project, account.environment(), arguments, "deployment")
    now, unread = _read_again(project, environment)
    if guided:
        name, account = _answered(now, environment, name, account)
        if stack.find(account, name) is None:
            _tell_where_to_look(name, account, environment)
            return 0
        options.stack_name, options.region = name, account.region
    deployed = stack.find_usable(account, name)
    # SAM ends alike when there is nothing to change and when its user does not agree.
    unchanged = found is not None and found.changed == deployed.changed
    _tell(f"Nothing was changed: the stack {name} is as it was" if unchanged else f"The stack {name} is deployed", deployed, account, options)
    if page.is_hosted(deployed):
        page.upload(project.root / "page", account, deployed, options.issuer_metadata)
    # SAM's guide may have been given another one.
    architecture.refuse_other(built, architecture.deployed_for(built / "template.yaml", {}, deployed))
    if guided:
        _refuse_answers_saved_otherwise(now, environment, deployed, unread)
    return 0


def _beyond_update(found: stack.Stack, account: Account, options: argparse.Namespace) -> Failure:
    return Failure(
        f"The stack {found.name} is in {found.status}, and CloudFormation updates no such stack.\n"
        f"  Do:   {advice.make('destroy', options)}, then deploy again; why it failed: the stack's events in the console, or\n"
        f"        aws cloudformation describe-stack-events --stack-name {found.name} --region {account.region}"
    )


def _refuse_answers_that_cannot_be_saved(samconfig: Path) -> None:
    """SAM saves the answers to its questions when all are given, and ends there if it cannot."""
    if not os.access(samconfig, os.W_OK):
        raise Failure(
            f"{short(samconfig)} cannot be written, and SAM's guide saves its answers there.\n"
            "  Do:   let this user write to it; or do without the guide: --yes (with make: ARGS=--yes), with the parameters that you need."
        )


def _read_again(project: Project, environment: Environment) -> tuple[Environment, Failure | None]:
    """The environment after SAM's guide; as it was before, and why, where it can no longer be read."""
    try:
        return environments.read(project.samconfig, environment.name), None
    except Failure as failure:
        return environment, failure


def _refuse_answers_saved_otherwise(now: Environment, before: Environment, deployed: stack.Stack, unread: Failure | None) -> None:
    """Fail when SAM reads other values than those it was answered: its guide saves some so, and the next deployment would have them."""
    changed = {} if now == before else now.parameters
    other = sorted(name for name, value in changed.items() if deployed.parameters.get(name) != value)
    if unread or other:
        why = unread or f"it would read other values of {', '.join(other)}"
        raise Failure(
            "The stack is deployed as you answered, but SAM's guide has not saved all answers so that SAM can read them.\n"
            f"  Why:  {why}\n"
            f"  Do:   before the next deployment, correct [{now.name}.deploy.parameters] in samconfig.toml."
        )


def _answered(now: Environment, before: Environment, name: str, account: Account) -> tuple[str, Account]:
    """Name and place of the stack after SAM's guide: if its answers were kept, they are what changed in samconfig.toml."""
    return (name, account) if now == before else (now.stack, replace(account, region=now.region or account.region))


def _tell_where_to_look(name: str, account: Account, environment: Environment) -> None:
    print(
        f"\nSAM has ended without a failure, and there is no stack {name} in {account.region}: either the changes were not agreed to,\n"
        f"or SAM was given another name or region, which [{environment.name}] of samconfig.toml does not have.\n"
        "  Do:   see the outputs: aws cloudformation describe-stacks --stack-name NAME --region REGION --query 'Stacks[0].Outputs'\n"
        "        and name that stack from now on: make smoke STACK=NAME REGION=REGION"
    )


def _sam(project: Project, variables: dict[str, str], arguments: list[str], what: str) -> None:
    if not sam.in_foreground(arguments, project, variables):
        raise Failure(f"The {what} failed or was not agreed to; SAM's message is above, with what failed first (CREATE_FAILED, UPDATE_FAILED).")


def _tell(what: str, deployed: stack.Stack, account: Account, options: argparse.Namespace) -> None:
    width = max(map(len, deployed.outputs), default=0)
    lines = [f"\n{what}: {account}. Outputs:", *(f"  {name:<{width}}  {value}" for name, value in sorted(deployed.outputs.items()))]
    lines += ["\nNext:", f"  Try it out, and leave nothing behind: {advice.make('smoke', options)}"]
    if "UserPoolId" in deployed.outputs:
        lines.append("  Make a user and a token: docs/deploying.md, \"Users and tokens\"")
    place = f"--lane async --stack-name {deployed.name} --region {account.region}"
    lines.append(f"  Place an order: TWOLANE_TOKEN=… cargo run -q -p twolane -- order {place}")
    if "AlarmTopicArn" in deployed.outputs:
        topic = deployed.outputs["AlarmTopicArn"]
        lines.append(f"  Receive alarms by email: aws sns subscribe --region {account.region} --topic-arn {topic} --protocol email --notification-endpoint YOU")
    lines.append(f"  Remove it: {advice.make('destroy', options)}")
    _print_or_keep("\n".join(lines))


def _print_or_keep(text: str) -> None:
    """Print it; where standard output fails, as on a full disk, print it on standard error. The stack is deployed by then."""
    try:
        print(text, flush=True)
    except BrokenPipeError:
        raise
    except OSError as error:
        discard_output()
        print(text, file=sys.stderr)
        raise Failure(f"Failed to write to standard output: {error.strerror}. The stack is deployed; its outputs are above.") from error
