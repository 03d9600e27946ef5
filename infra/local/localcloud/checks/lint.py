"""Checks the template with AWS's linters and checkov's policies, and the workflows with actionlint.

The linters also check SAM's expansion of the template, because they do not look inside AWS::Serverless::* resources.
They do not use the network. A rule can only be skipped with a reason next to it.
"""

from __future__ import annotations

import functools
import hashlib
import json
import re
import subprocess
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .. import commands, tools
from ..environment import REGION, of_the_machine
from ..failure import Failure
from ..layout import EXPANDER, REQUIREMENTS_FOLDER, Project
from ..temporary import temporary_folder
from . import workflows

# Words, and files.
_Command = Sequence["str | Path"]
# Runs one in the project.
_Runner = Callable[[_Command], "subprocess.CompletedProcess[str]"]

# Rules of checkov that are skipped everywhere.
_CONFIGURATION = ".checkov.yaml"
# Those of samconfig.toml that deploy to AWS.
_ENVIRONMENTS = ("dev", "prod")
# With these, the stack has every resource: checkov passes over those that the defaults leave out.
_EVERY_RESOURCE = {
    "AlarmTopic": "stack",
    "Page": "cloudfront",
    "WebAcl": "true",
    "ApiDomain": "api.example.com",
    "SocketDomain": "socket.example.com",
    "PageDomain": "orders.example.com",
    "HostedZoneId": "Z0123456789ABCDEFGHIJ",
}
# checkov's report of a skip without `comment`.
_NO_REASON = "No comment provided"


@dataclass(frozen=True)
class Verdict:
    """What one linter says: its complaints, none when all is well, and a line for people."""

    linter: str
    complaints: list[str]
    summary: str = "no findings"


def run(target: commands.Target) -> int:
    """Install the linters and run them, unless nothing has changed since they last passed."""
    found, linted = fingerprint(target.project), target.project.linted
    if linted.exists() and linted.read_text(encoding="utf-8") == found:
        print("template and workflows: unchanged since the linters found nothing")
        return 0
    commands.ensure_tools(target.project, (tools.SAM, tools.CHECKOV, tools.TEST))
    verdicts = lint(target.project)
    for verdict in verdicts:
        print(f"{verdict.linter}: {len(verdict.complaints) or verdict.summary}{' findings' if verdict.complaints else ''}")
        for complaint in verdict.complaints:
            print(f"  {complaint}")
    if any(verdict.complaints for verdict in verdicts):
        raise Failure(
            "The template or a workflow breaks the rules above.\n"
            "  Do:   fix it. Or, if a rule is wrong for this template, skip it with the reason: for one resource in its\n"
            "        `Metadata: {checkov: {skip: [{id: …, comment: …}]}}`, for all resources in .checkov.yaml."
        )
    linted.write_text(found, encoding="utf-8")
    return 0


def fingerprint(project: Project) -> str:
    """A hash over all that the verdicts depend on."""
    read = [project.template, project.samconfig, _openapi(project), project.root / _CONFIGURATION, EXPANDER, Path(__file__)]
    locks = [REQUIREMENTS_FOLDER / f"{name}.txt" for name in (tools.SAM, tools.CHECKOV)]
    everything = (*read, *locks, *workflows.files(project.root))
    return hashlib.sha256(b"".join(hashlib.sha256(path.read_bytes()).digest() for path in everything)).hexdigest()


def lint(project: Project) -> list[Verdict]:
    """Every linter's verdict on the template and the workflows of a project. The tool sets `sam`, `checkov` and `test` must be there."""
    with temporary_folder(project.root) as temporary:
        expansion = Path(temporary["TMPDIR"]) / "template.json"
        run = functools.partial(_run, project, temporary)
        expansion.write_text(_expand(project, run), encoding="utf-8")
        with ThreadPoolExecutor() as pool:
            verdicts = [
                pool.submit(_checkov, project, run, expansion),
                *(pool.submit(_sam, run, environment) for environment in _ENVIRONMENTS),
                pool.submit(_cfn_lint, run, expansion),
                pool.submit(_actionlint, project, temporary),
            ]
            return [verdict.result() for verdict in verdicts]


def _expand(project: Project, run: _Runner) -> str:
    command = [tools.python(tools.SAM), EXPANDER, project.template, _openapi(project)]
    done = run(command)
    if done.returncode:
        raise Failure(f"SAM cannot expand {project.template.name}:\n{done.stderr}")
    expansion: Any = json.loads(done.stdout)
    for name, value in _EVERY_RESOURCE.items():
        expansion["Parameters"][name]["Default"] = value
    return json.dumps(expansion)


def _openapi(project: Project) -> Path:
    return project.root / "infra" / "openapi.yaml"


def _sam(run: _Runner, environment: str) -> Verdict:
    command = [tools.bin_folder(tools.SAM) / "sam", "validate", "--lint", "--region", REGION, "--config-env", environment]
    return _verdict(f"sam validate --lint --config-env {environment}", run(command))


def _actionlint(project: Project, temporary: Mapping[str, str]) -> Verdict:
    return Verdict("actionlint", workflows.actionlint(project.root, lambda text: print(text, flush=True), temporary))


def _cfn_lint(run: _Runner, expansion: Path) -> Verdict:
    command = [tools.bin_folder(tools.SAM) / "cfn-lint", "--regions", REGION, "--template", expansion]
    return _verdict("cfn-lint on the expansion", run(command))


def _checkov(project: Project, run: _Runner, expansion: Path) -> Verdict:
    configuration = project.root / _CONFIGURATION
    command = [tools.bin_folder(tools.CHECKOV) / "checkov", "--config-file", configuration, "--file", expansion, "--output", "json"]
    done = run(command)
    try:
        report = json.loads(done.stdout)
        results, summary = report["results"], report["summary"]
    except (ValueError, KeyError, TypeError):
        return Verdict("checkov", [f"It did not report:\n{done.stdout}{done.stderr}"])
    complaints = [
        *(f"{check['check_id']} {check['resource']}: {check['check_name']}" for check in results["failed_checks"]),
        *_skips_without_a_reason(results["skipped_checks"]),
        *_rules_without_a_reason(configuration.read_text(encoding="utf-8")),
        *(f"It cannot read {path}" for path in results["parsing_errors"]),
    ]
    if not results["passed_checks"]:
        complaints.append("No rule was applied")
    return Verdict("checkov", complaints, f"{summary['passed']} checks passed, {summary['skipped']} skipped with a reason")


def _skips_without_a_reason(skipped: list[dict[str, Any]]) -> Iterable[str]:
    for check in skipped:
        if check["check_result"].get("suppress_comment", _NO_REASON) in ("", _NO_REASON):
            yield f"{check['check_id']} {check['resource']}: skipped without a reason; add `comment` to the skip"


def _rules_without_a_reason(configuration: str) -> Iterable[str]:
    """Rules skipped everywhere have their reason on the same line."""
    for rule, rest in re.findall(r"^\s*-\s*(CKV\w+)(.*)$", configuration, re.MULTILINE):
        if not re.match(r"\s+#\s*\S", rest):
            yield f"{rule}: skipped in {_CONFIGURATION} without a reason; add it behind a # on the same line"


def _verdict(linter: str, done: subprocess.CompletedProcess[str]) -> Verdict:
    return Verdict(linter, [f"{done.stdout}{done.stderr}".strip()] if done.returncode else [])


def _run(project: Project, temporary: Mapping[str, str], command: _Command) -> subprocess.CompletedProcess[str]:
    environment = {**of_the_machine(), **temporary, "AWS_DEFAULT_REGION": REGION, "SAM_CLI_TELEMETRY": "0"}
    return subprocess.run(
        list(map(str, command)), cwd=project.root, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
