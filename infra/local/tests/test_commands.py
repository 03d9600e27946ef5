"""`up`, `down`, `exec`, `env`, `status` as a user runs them: real processes, a project with a small template."""

from __future__ import annotations

import json
import os
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
import unittest
import urllib.request
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from localcloud.emulators import LOCALSTACK, MINISTACK, lifecycle
from localcloud.environment import REGION
from localcloud.files import read_json, write_json
from localcloud.layout import LOCAL_FOLDER, REPOSITORY, Instance
from localcloud.processes import identify, listeners, wait_until

SAMCONFIG = """version = 0.1
[local.deploy.parameters]
stack_name = "twolane-local"
resolve_s3 = true
capabilities = "CAPABILITY_IAM"
confirm_changeset = false
region = "us-east-1"
"""
OPENAPI = """openapi: 3.0.1
info: {title: small, version: '1'}
x-amazon-apigateway-gateway-responses:
  RESPONSE_TYPE: {statusCode: 499}
paths:
  /queue:
    get:
      responses: {'200': {description: ok}}
      x-amazon-apigateway-integration:
        type: mock
        requestTemplates: {application/json: '{"statusCode": 200}'}
        responses:
          default:
            statusCode: '200'
            responseTemplates: {application/json: {Fn::Sub: '{"queue":"${Queue.QueueName}"}'}}
"""
TEMPLATE = """AWSTemplateFormatVersion: '2010-09-09'
Transform: AWS::Serverless-2016-10-31
Parameters:
  LocalEndpoint: {Type: String, Default: ''}
  Architecture: {Type: String, Default: arm64}
  Jwks: {Type: String, Default: ''}
Resources:
  Queue: {Type: AWS::SQS::Queue}
  Api:
    Type: AWS::Serverless::Api
    Properties:
      StageName: test
      DefinitionBody: {Fn::Transform: {Name: AWS::Include, Parameters: {Location: openapi.yaml}}}
Outputs:
  QueueUrl: {Value: !Ref Queue}
  ApiId: {Value: !Ref Api}
  Endpoint: {Value: !Ref LocalEndpoint}
  Jwks: {Value: !Ref Jwks}
  ApiUrl: {Value: !Sub '${LocalEndpoint}/_aws/execute-api/${Api}/test'}
"""
# Settings of a user of real AWS; none may be used.
USER = {"AWS_PROFILE": "production", "AWS_SESSION_TOKEN": "secret", "AWS_ACCESS_KEY_ID": "AKIAREAL", "AWS_REGION": "eu-west-1"}
# Of other programs. The emulator, the functions, pip, Python and Git read these names too, and fail with these values.
SETTINGS = {
    "LOG_LEVEL": "trace", "SERVICES": "s3", "USE_SSL": "1", "LAMBDA_EXECUTOR": "docker", "MINISTACK_ACCOUNT_ID": "999999999999",
    "RUST_LOG": "no=level", "PYTHONOPTIMIZE": "2", "PYTHONWARNINGS": "error", "GIT_DIR": "/nowhere", "PIP_USER": "1",
}  # fmt: skip
# Longer commands hang. Seven stacks are deployed concurrently, on a machine that runs other tests.
HANGS = 900
LOOPBACK = {"0100007F", "00000000000000000000000001000000"}


class Project:
    """A folder with a small template, and the command line working on it."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="twolane-project-")
        self.root = Path(self._folder.name).resolve()
        (self.root / "samconfig.toml").write_text(SAMCONFIG)
        (self.root / "template.yaml").write_text(TEMPLATE)
        self.describe("DEFAULT_4XX")

    def describe(self, response_type: str) -> None:
        """Write the API's definition; one with an unknown response type fails to deploy."""
        (self.root / "openapi.yaml").write_text(OPENAPI.replace("RESPONSE_TYPE", response_type))

    def instance(self, folder: str = ".local") -> Instance:
        """Its state files."""
        return Instance(self.root / folder)

    def start(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        """Start a command of the local cloud."""
        own, rest = list(arguments), []
        if "--" in own:
            cut = own.index("--")
            own, rest = own[:cut], own[cut:]
        return subprocess.Popen(
            [sys.executable, str(LOCAL_FOLDER), *own, "--project", str(self.root), *rest],
            env={**os.environ, **USER, **SETTINGS, **self.modules(), **environment}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def modules(self) -> dict[str, str]:
        """A folder on the user's PYTHONPATH with other versions of libraries, with which SAM and the emulator cannot start."""
        other = self.root / "modules"
        other.mkdir(exist_ok=True)
        for name in ("botocore", "cryptography", "yaml"):
            (other / f"{name}.py").write_text("raise ImportError('of the user')\n")
        return {"PYTHONPATH": str(other)}

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a command of the local cloud."""
        return finished(self.start(*arguments, **environment))

    def close(self) -> None:
        """Stop processes that a failed test left."""
        self.run("down")
        self._folder.cleanup()


def record_of(pid: int, started: str) -> dict:
    """A record of a MiniStack, as `up` writes it."""
    return {"emulator": MINISTACK.name, "pid": pid, "started": started, "port": 1}


def variables_of(answer: subprocess.CompletedProcess[str]) -> dict[str, str]:
    """The variables of a shell after `eval` of the output of `env`."""
    words = (shlex.split(line) for line in answer.stdout.splitlines())
    return dict(word.split("=", 1) for verb, *assigned in words if verb == "export" for word in assigned)


def finished(process: subprocess.Popen[str]) -> subprocess.CompletedProcess[str]:
    """The result of a started command."""
    stdout, stderr = process.communicate(timeout=HANGS)
    return subprocess.CompletedProcess(process.args, process.returncode, stdout, stderr)


def untouched(folder: Path) -> Path:
    """An empty folder in which no file was ever created, as its modification time shows."""
    folder.mkdir()
    os.utime(folder, (0, 0))
    return folder


_stories: dict[str, Future] = {}


def setUpModule() -> None:  # noqa: N802  (unittest's name)
    """Start all deployments concurrently now: they mostly wait, and the tests that need them come later."""
    pool = ThreadPoolExecutor()
    unittest.addModuleCleanup(pool.shutdown)
    stories = {
        "running": _running, "exec": _exec, "terminated exec": _terminated_exec, "failed deployment": _failed_deployment,
        "same port": _same_port, "env meanwhile": _env_meanwhile, "unwritable outputs": _unwritable_outputs,
    }  # fmt: skip
    for name, story in stories.items():
        project = Project()
        unittest.addModuleCleanup(project.close)
        _stories[name] = pool.submit(story, project)


def _running(project: Project) -> tuple:
    return project, project.run("up", "--port", "0", TMPDIR=str(untouched(project.root / "temporary")))


def _exec(project: Project) -> tuple:
    report = "import json,os,sys; print('ENV', json.dumps(dict(os.environ))); sys.exit(7)"
    return project, project.run("exec", "--dir", ".local/test", "--", sys.executable, "-c", report)


def _terminated_exec(project: Project) -> tuple:
    process = project.start("exec", "--", "sleep", "60")
    wait_until(project.instance(".local/test").outputs.exists, HANGS)
    process.terminate()
    return project, finished(process)


def _same_port(project: Project) -> tuple:
    other = Project()
    port = str(lifecycle.free_port())
    try:
        ups = [each.start("up", "--port", port) for each in (project, other)]
        return port, [finished(up) for up in ups]
    finally:
        other.close()


def _env_meanwhile(project: Project) -> tuple:
    """The answers of `env`, run repeatedly while two `up`s replace a killed emulator."""
    project.run("up", "--port", "0")
    os.kill(read_json(project.instance().record)["pid"], signal.SIGKILL)
    ups = [project.start("up", "--port", str(lifecycle.free_port())), project.start("up")]
    answers = []
    while any(up.poll() is None for up in ups):
        answers.append(project.run("env"))
    return [finished(up) for up in ups], answers, project.run("env")


def _unwritable_outputs(project: Project) -> subprocess.CompletedProcess[str]:
    """`up` with outputs that become unwritable during the deployment."""
    process = project.start("up", "--port", "0")
    assert process.stdout is not None, "stdout is a pipe"
    printed = ""
    while "[5/5]" not in printed and (line := process.stdout.readline()):
        printed += line
    project.instance().outputs.mkdir()
    done = finished(process)
    return subprocess.CompletedProcess(done.args, done.returncode, printed + done.stdout, done.stderr)


def _failed_deployment(project: Project) -> tuple:
    project.describe("NO_SUCH_RESPONSE")
    failed = project.run("up", "--port", "0")
    project.describe("DEFAULT_4XX")
    return failed, project.run("up")


class BeforeAnythingRuns(unittest.TestCase):
    def setUp(self) -> None:
        self.project = Project()
        self.addCleanup(self.project.close)
        self.instance = self.project.instance()

    def test_a_taken_port_is_named_with_its_process(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]

            done = self.project.run("up", "--port", str(port))

        self.assertEqual(done.returncode, 1)
        self.assertIn(f"Port {port} is taken by pid {os.getpid()}", done.stderr)
        self.assertIn("or choose another port: python3 infra/local up --dir", done.stderr)
        self.assertNotIn("Traceback", done.stderr)

    @unittest.skipUnless(socket.has_ipv6 and Path("/proc/net/if_inet6").exists(), "this machine has no IPv6")
    def test_a_port_that_is_taken_at_the_other_loopback_address_is_taken(self) -> None:
        # `localhost` is both addresses, and clients may try this one first.
        port = lifecycle.free_port()
        with socket.create_server(("::1", port), family=socket.AF_INET6):
            done = self.project.run("up", "--port", str(port))

        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn(f"Port {port} is taken by pid {os.getpid()}", done.stderr)

    def test_a_missing_cargo_is_explained(self) -> None:
        done = self.project.run("up", PATH="/nowhere")

        self.assertEqual(done.returncode, 1)
        self.assertIn("`cargo` was not found", done.stderr)
        self.assertIn("rustup", done.stderr)
        self.assertNotIn("Traceback", done.stderr)

    def test_an_old_rust_is_explained(self) -> None:
        for tool in ("cargo", "rustc"):
            script = self.project.root / "bin" / tool
            script.parent.mkdir(exist_ok=True)
            script.write_text(f"#!/bin/sh\necho {tool} 1.80.0\n")
            script.chmod(0o755)

        done = self.project.run("up", PATH=f"{self.project.root / 'bin'}:/usr/bin:/bin")

        self.assertEqual(done.returncode, 1)
        self.assertIn("1.80.0: too old", done.stderr)

    def test_an_impossible_folder_has_nothing_running(self) -> None:
        (self.project.root / "file").write_text("")
        for command, code in (("env", 1), ("restart", 1), ("status", 3), ("down", 0)):
            with self.subTest(command):
                done = self.project.run(command, "--dir", "file/below")

                self.assertEqual(done.returncode, code, done.stderr)
                self.assertIn("othing ", done.stdout + done.stderr)
                self.assertNotIn("Traceback", done.stderr)

    def test_a_folder_without_write_permission_is_named_first(self) -> None:
        (self.project.root / "file").write_text("")
        self.instance.outputs.mkdir(parents=True)
        for folder, named in (("file/below", "below/up.lock cannot be written: Not a directory"), (".local", "outputs.json cannot be written: Is a directory")):
            for command in (["up", "--dir", folder], ["exec", "--dir", folder, "--", "true"]):
                with self.subTest(command):
                    done = self.project.run(*command)

                    self.assertEqual(done.returncode, 1, done.stdout)
                    self.assertIn(named.replace("up.lock", "exec.lock" if command[0] == "exec" else "up.lock"), done.stderr)
                    self.assertIn("  Do:   ", done.stderr)
                    self.assertNotIn("Traceback", done.stderr)
                    self.assertNotIn("[1/5]", done.stdout)

    def test_down_twice_is_fine(self) -> None:
        for _ in range(2):
            done = self.project.run("down")

            self.assertEqual(done.returncode, 0)
            self.assertIn("Nothing was running", done.stdout)

    def test_down_does_not_end_another_process_with_the_recorded_id(self) -> None:
        with subprocess.Popen(["sleep", "60"]) as stranger:
            for started in (identify(stranger.pid).started, "1"):
                write_json(self.instance.record, record_of(stranger.pid, started))

                self.project.run("down")

                self.assertIsNone(stranger.poll())
            stranger.kill()

    def test_down_ends_an_emulator_that_never_answered(self) -> None:
        hanging = [sys.executable, "-c", "import time; time.sleep(60)", str(MINISTACK.launcher)]
        with subprocess.Popen(hanging, start_new_session=True) as process:
            identity = identify(process.pid)
            write_json(self.instance.record, record_of(identity.pid, identity.started))

            done = self.project.run("down")

            self.assertIsNotNone(process.wait(5))
            self.assertIn("Stopped the local cloud", done.stdout)

    def test_exec_needs_a_command(self) -> None:
        self.assertIn("exec needs a command", self.project.run("exec").stderr)

    def test_nothing_running_has_a_status_and_no_env_and_no_restart(self) -> None:
        self.assertEqual(self.project.run("status").returncode, 3)
        self.assertEqual(self.project.run("env").returncode, 1)
        self.assertEqual(self.project.run("restart").returncode, 1)

    def test_a_closed_output_prints_no_failure(self) -> None:
        reader, writer = os.pipe()
        os.close(reader)
        with open(writer, "w") as closed:
            done = subprocess.run([sys.executable, str(LOCAL_FOLDER), "status"], stdout=closed, stderr=subprocess.PIPE, text=True, check=False)

        self.assertEqual((done.returncode, done.stderr), (128 + signal.SIGPIPE, ""))

    def test_a_closed_standard_output_is_not_a_failure(self) -> None:
        command = ["sh", "-c", 'exec "$@" >&-', "sh", sys.executable, str(LOCAL_FOLDER), "status"]

        done = subprocess.run(command, stderr=subprocess.PIPE, text=True, check=False)

        self.assertEqual(done.stderr, "")
        self.assertIn(done.returncode, (0, 3), "as status says whether the stack is there")

    def test_characters_outside_the_locale_are_not_a_failure(self) -> None:
        ascii_alone = {"PYTHONIOENCODING": "ascii", "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
        nowhere = "\N{LATIN SMALL LETTER U WITH DIAERESIS}"

        shown, missing = self.project.run("exec", "--help", **ascii_alone), self.project.run("env", "--dir", nowhere, **ascii_alone)

        self.assertEqual((shown.returncode, shown.stderr), (0, ""))
        self.assertIn("COMMAND [ARGUMENT ?]", shown.stdout)
        self.assertIn(f"{self.project.root.name}/{nowhere}.\n", missing.stderr)

    def test_advice_names_another_instance_than_the_default(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            refused = self.project.run("up", "--dir", "other", "--port", str(port))
        nothing = self.project.run("env", "--dir", "other")

        other = self.project.instance("other")
        self.assertIn(f"  Do:   {other.command('up')}\n", nothing.stderr)
        self.assertIn(other.command("up", "--port", str(port + 11)), refused.stderr)

    def test_an_instance_is_named_relative_to_the_repository_unless_it_is_the_default(self) -> None:
        folders = {REPOSITORY / ".local": "", REPOSITORY / ".local" / "test": " --dir .local/test", Path("/a b"): " --dir '/a b'"}
        for folder, named in folders.items():
            self.assertEqual(Instance(folder).command("up", "--port", "1"), f"python3 infra/local up{named} --port 1")

    def test_a_command_on_the_default_instance_without_options_is_one_of_make(self) -> None:
        usual = Instance(REPOSITORY / ".local")
        shown = [usual.command(subcommand) for subcommand in ("up", "down", "env", "status")]
        self.assertEqual(shown, ["make up", "make down", "make -s env", "python3 infra/local status"])

    def test_each_command_has_help_with_examples(self) -> None:
        for command in ("up", "build", "down", "restart", "exec", "env", "status", "tools", "tests", "test-localstack", "selftest"):
            with self.subTest(command):
                done = subprocess.run([sys.executable, str(LOCAL_FOLDER), command, "--help"], capture_output=True, text=True, check=True)

                self.assertIn("examples:", done.stdout)


class Exec(unittest.TestCase):
    def test_runs_the_command_on_a_separate_stack_and_leaves_nothing(self) -> None:
        project, done = _stories["exec"].result()

        seen = json.loads(next(line for line in done.stdout.splitlines() if line.startswith("ENV "))[4:])
        instance = project.instance(".local/test")
        self.assertEqual(done.returncode, 7)
        self.assertEqual(seen["TWOLANE_OUTPUTS"], str(instance.outputs))
        self.assertFalse(set(USER.values()) & set(seen.values()))
        self.assertFalse(instance.outputs.exists())
        self.assertEqual(lifecycle.process_tree(instance), [])
        self.assertFalse(project.instance().record.exists())

    def test_ends_the_stack_when_it_is_terminated(self) -> None:
        project, done = _stories["terminated exec"].result()

        self.assertEqual(done.returncode, 128 + signal.SIGTERM, done.stdout + done.stderr)
        self.assertEqual(lifecycle.process_tree(project.instance(".local/test")), [])


class SamePort(unittest.TestCase):
    def test_two_that_start_at_once_are_not_mistaken_for_each_other(self) -> None:
        port, ups = _stories["same port"].result()

        refused, started = sorted(ups, key=lambda up: up.returncode, reverse=True)
        self.assertEqual((refused.returncode, started.returncode), (1, 0), refused.stdout + refused.stderr + started.stderr)
        self.assertIn(f"Port {port} is taken by pid ", refused.stderr)


class EnvMeanwhile(unittest.TestCase):
    def test_while_the_stack_is_replaced_env_answers_for_one_stack_or_none(self) -> None:
        ups, answers, last = _stories["env meanwhile"].result()

        self.assertEqual(sorted(up.returncode for up in ups)[0], 0, [up.stderr for up in ups])
        right = variables_of(last)
        self.assertTrue(right["TWOLANE_API_URL"].startswith(right["AWS_ENDPOINT_URL"]), right)
        refused = [answer for answer in answers if answer.returncode]
        self.assertGreater(len(refused), 0)
        for answer in refused:
            self.assertIn("\n  Do:   ", answer.stderr)
            self.assertEqual(answer.stdout, "")
        for answer in answers:
            if answer.returncode == 0:
                self.assertEqual({**variables_of(answer), "TWOLANE_TOKEN": ""}, {**right, "TWOLANE_TOKEN": ""})


class UnwritableOutputs(unittest.TestCase):
    def test_are_printed(self) -> None:
        done = _stories["unwritable outputs"].result()

        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertRegex(done.stdout, r"QueueUrl +http://localhost:")
        self.assertIn("outputs.json cannot be written: Is a directory", done.stderr)
        self.assertNotIn("Traceback", done.stderr)


class FailedDeployment(unittest.TestCase):
    def test_prints_the_reason_and_the_next_up_replaces_the_stack(self) -> None:
        failed, replaced = _stories["failed deployment"].result()

        self.assertEqual(failed.returncode, 1)
        self.assertIn("Api (AWS::ApiGateway::RestApi): ", failed.stderr)
        self.assertIn("NO_SUCH_RESPONSE", failed.stderr)
        self.assertEqual(replaced.returncode, 0, replaced.stdout + replaced.stderr)
        self.assertIn("deleting it first", replaced.stdout)


class RunningStack(unittest.TestCase):
    """One stack for all tests; a test that harms it brings it up again."""

    @classmethod
    def setUpClass(cls) -> None:
        cls.project, cls.first = _stories["running"].result()

    def up(self) -> subprocess.CompletedProcess[str]:
        done = self.project.run("up")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done

    def setUp(self) -> None:
        self.instance = self.project.instance()

    def test_up_numbers_its_steps_and_writes_the_outputs(self) -> None:
        self.assertIn("[5/5]", self.first.stdout, self.first.stderr)
        port = read_json(self.instance.record)["port"]
        self.assertEqual(read_json(self.instance.outputs)["Endpoint"], f"http://localhost:{port}")

    def test_up_writes_no_temporary_files_outside_of_the_project(self) -> None:
        folder = self.project.root / "temporary"

        self.assertEqual((os.listdir(folder), folder.stat().st_mtime), ([], 0))

    def test_up_leaves_no_temporary_files_but_the_emulators(self) -> None:
        self.assertEqual([path.name for path in self.instance.folder.glob("*tmp*")], [self.instance.temporary.name])

    def test_a_second_up_keeps_what_runs(self) -> None:
        before = read_json(self.instance.record), read_json(self.instance.outputs)

        done = self.up()

        self.assertIn("already running", done.stdout)
        self.assertIn("nothing changed", done.stdout)
        self.assertEqual(before, (read_json(self.instance.record), read_json(self.instance.outputs)))

    def test_up_on_another_port_prints_what_to_do(self) -> None:
        done = self.project.run("up", "--port", "1")

        self.assertEqual(done.returncode, 1)
        self.assertIn("already runs on port", done.stderr)

    def test_up_on_another_emulator_prints_what_to_do(self) -> None:
        done = self.project.run("up", "--emulator", LOCALSTACK.name)

        self.assertEqual(done.returncode, 1)
        self.assertIn("already runs on MiniStack", done.stderr)
        for command in (self.instance.command("down"), self.instance.command("up", "--emulator", LOCALSTACK.name)):
            self.assertIn(command, done.stderr)

    def test_everything_listens_on_loopback_only(self) -> None:
        found = listeners(lifecycle.process_tree(self.instance))

        self.assertIn(read_json(self.instance.record)["port"], {port for _, port in found})
        self.assertLessEqual({address for address, _ in found}, LOOPBACK)

    def test_the_users_credentials_reach_nothing(self) -> None:
        pid = read_json(self.instance.record)["pid"]
        environment = Path(f"/proc/{pid}/environ").read_text()

        for value in USER.values():
            self.assertNotIn(value, environment)

    def test_the_users_settings_for_other_programs_reach_neither_emulator_nor_functions(self) -> None:
        variables = Path(f"/proc/{read_json(self.instance.record)['pid']}/environ").read_text().split("\0")

        names = {variable.partition("=")[0] for variable in variables}
        self.assertFalse(names & {*SETTINGS, "PYTHONPATH"})

    def test_env_prints_what_a_shell_needs(self) -> None:
        lines = self.project.run("env").stdout
        shown = subprocess.run(
            ["bash", "-c", f"{lines}\nenv"], capture_output=True, text=True, check=True, env={**os.environ, **USER}
        ).stdout

        self.assertIn(f"TWOLANE_OUTPUTS={self.instance.outputs}\n", shown)
        self.assertIn("AWS_ACCESS_KEY_ID=test\n", shown)
        self.assertRegex(shown, r"(?m)^TWOLANE_TOKEN=[\w-]+\.[\w-]+\.[\w-]+$")
        self.assertNotIn("AWS_PROFILE", shown)
        self.assertNotIn("AWS_SESSION_TOKEN", shown)

    def test_only_its_owner_can_read_the_issuer_and_the_stack_has_the_public_key(self) -> None:
        issuer = read_json(self.instance.issuer)

        self.assertEqual(self.instance.issuer.stat().st_mode & 0o777, 0o600)
        pinned = json.loads(read_json(self.instance.outputs)["Jwks"])["keys"]
        self.assertEqual(pinned, [{name: value for name, value in issuer["key"].items() if name != "d"}])

    def test_status_prints_what_runs(self) -> None:
        status = json.loads(self.project.run("status", "--json").stdout)

        self.assertTrue(status["ready"])
        self.assertEqual(status["emulator"], MINISTACK.name)
        self.assertEqual(status["outputs"], read_json(self.instance.outputs))

    def test_a_restart_keeps_the_data_and_a_new_start_forgets_them(self) -> None:
        before, outputs = read_json(self.instance.record), read_json(self.instance.outputs)
        self.sqs("SendMessage", MessageBody="kept")

        done = self.project.run("restart")

        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        after = read_json(self.instance.record)
        self.assertNotEqual(after["pid"], before["pid"])
        self.assertEqual(after["port"], before["port"])
        self.assertEqual([message["Body"] for message in self.sqs("ReceiveMessage")["Messages"]], ["kept"])
        self.assertIn("nothing changed", self.up().stdout)
        self.assertEqual(read_json(self.instance.outputs), outputs)
        self.project.run("down")
        self.project.run("up", "--port", "0")
        self.assertEqual(self.sqs("ReceiveMessage").get("Messages", []), [])

    def sqs(self, action: str, **parameters: str) -> dict:
        """An action on the stack's queue, over SQS's JSON protocol."""
        outputs = read_json(self.instance.outputs)
        request = urllib.request.Request(
            outputs["Endpoint"],
            json.dumps({"QueueUrl": outputs["QueueUrl"], **parameters}).encode(),
            {
                "X-Amz-Target": f"AmazonSQS.{action}",
                "Content-Type": "application/x-amz-json-1.0",
                "Authorization": f"AWS4-HMAC-SHA256 Credential=test/20000101/{REGION}/sqs/aws4_request, "
                "SignedHeaders=host, Signature=0",
            },
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    def test_a_killed_emulator_is_started_again(self) -> None:
        before, port = (read_json(self.instance.record)[name] for name in ("pid", "port"))
        os.kill(before, signal.SIGKILL)
        wait_until(lambda: identify(before) is None, 5)

        self.assertEqual(self.project.run("status").returncode, 3)
        self.up()

        self.assertNotEqual(read_json(self.instance.record)["pid"], before)
        self.assertEqual(read_json(self.instance.record)["port"], port)
        self.assertTrue(json.loads(self.project.run("status", "--json").stdout)["ready"])
