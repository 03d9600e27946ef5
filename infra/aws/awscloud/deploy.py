"""`deploy`: build for AWS, deploy, print what there is now and what to do next."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from localcloud import sam
from localcloud.failure import Failure
from localcloud.layout import Project, short
from localcloud.prerequisites import check_rust
from localcloud.progress import Progress

from . import advice, architecture, environments, stack
from .account import Account, connect
from .build import BUILT, build_functions, make_executable
from .consent import require_answers
from .environments import Environment


def deploy(options: argparse.Namespace) -> int:
    """Everything from the sources to a stack."""
    project, progress = Project(Path(options.project).resolve()), Progress(steps=3)
    progress.step("Checking tools, credentials and region")
    environment = environments.read(project.samconfig, options.config_env)
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
    parameters = environment.parameters_with(options.parameter)
    built = _built(options, project, account, environment, found, progress)
    # Whoever asks for nothing gets no guide either.
    guided = found is None and not options.yes
    if guided and name != environment.stack:
        progress.detail(f"SAM's guide saves its answers as the environment {environment.name}, whose stack is {environment.stack}: `n` keeps that")
    progress.step(f"Deploying{': SAM asks for each setting, and Enter takes what samconfig.toml says' if guided else ''}")
    arguments = ["deploy", "--template-file", str(built / "template.yaml"), "--config-file", str(project.samconfig)]
    arguments += ["--config-env", environment.name, "--region", account.region, "--no-fail-on-empty-changeset"]
    arguments += ["--stack-name", name, "--s3-prefix", name, *_overrides(parameters)]
    arguments += ["--no-confirm-changeset"] if options.yes else ["--guided"] if guided else []
    _sam(project, account.environment(), arguments, "deployment")
    if guided:
        name, account = _answered(environments.read(project.samconfig, environment.name), environment, name, account)
        if stack.find(account, name) is None:
            _tell_where_to_look(name, account, environment)
            return 0
        options.stack_name, options.region = name, account.region
    deployed = stack.find_usable(account, name)
    # SAM ends alike when there is nothing to change and when its user does not agree.
    unchanged = found is not None and found.changed == deployed.changed
    _tell(f"Nothing was changed: the stack {name} is as it was" if unchanged else f"The stack {name} is deployed", deployed, account, options)
    # SAM's guide may have been given another one.
    architecture.refuse_other(built, architecture.deployed_for(built / "template.yaml", {}, deployed))
    return 0


def _built(
    options: argparse.Namespace, project: Project, account: Account, environment: Environment, found: stack.Stack | None, progress: Progress
) -> Path:
    """The folder with functions for the processor that the stack has or will have: as they were built, or built now."""
    built, parameters = Path(options.built or project.root / BUILT).resolve(), environment.parameters_with(options.parameter)
    processor = architecture.deployed_for(built / "template.yaml" if options.built else project.template, parameters, found)
    if options.built:
        architecture.refuse_other(built, processor)
        make_executable(built)
        progress.step(f"The functions as they were built in {short(built)}")
    else:
        progress.step("Building the functions for AWS: release builds, minutes the first time")
        overrides = _overrides({**parameters, architecture.PARAMETER: processor})
        build_functions(project, account.build_environment(), processor, ["--config-env", environment.name, *overrides])
    return built


def _beyond_update(found: stack.Stack, account: Account, options: argparse.Namespace) -> Failure:
    return Failure(
        f"The stack {found.name} is in {found.status}, and CloudFormation updates no such stack.\n"
        f"  Do:   {advice.make('destroy', options)}, then deploy again; why it failed: the stack's events in the console, or\n"
        f"        aws cloudformation describe-stack-events --stack-name {found.name} --region {account.region}"
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


def _overrides(parameters: dict[str, str]) -> list[str]:
    return ["--parameter-overrides", *(f"{name}={_quoted(value)}" for name, value in parameters.items())] if parameters else []


def _quoted(value: str) -> str:
    """As SAM itself writes it: an empty value, and one with spaces or quotes, it reads only in quotes."""
    escaped = value.replace('"', '\\"')
    return f'"{escaped}"'


def _tell(what: str, deployed: stack.Stack, account: Account, options: argparse.Namespace) -> None:
    print(f"\n{what}: {account}. Outputs:")
    width = max(map(len, deployed.outputs), default=0)
    for name, value in sorted(deployed.outputs.items()):
        print(f"  {name:<{width}}  {value}")
    print("\nNext:")
    print(f"  Try it out, and leave nothing behind: {advice.make('smoke', options)}")
    if "UserPoolId" in deployed.outputs:
        print("  Make a user and a token: docs/deploying.md, \"Users and tokens\"")
    print(f"  Place an order: TWOLANE_TOKEN=… cargo run -q -p twolane -- order --lane async --stack-name {deployed.name} --region {account.region}")
    if "AlarmTopicArn" in deployed.outputs:
        topic = deployed.outputs["AlarmTopicArn"]
        print(f"  Be told of alarms: aws sns subscribe --region {account.region} --topic-arn {topic} --protocol email --notification-endpoint YOU")
    print(f"  Remove it: {advice.make('destroy', options)}")

