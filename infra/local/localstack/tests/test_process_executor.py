"""Functions of LocalStack as processes: real LocalStack, real bootstraps."""

from __future__ import annotations

import contextlib
import itertools
import os
import tempfile
import unittest
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from local_stack import USER, Function, InvocationError, LocalStackProcess, bootstrap
from localcloud.emulators.lifecycle import process_tree
from localcloud.processes import identify, listeners
from tests.eventually import eventually

_numbers = itertools.count(1)
_server: LocalStackProcess

LOOPBACK = {"0100007F", "00000000000000000000000001000000"}


def setUpModule() -> None:  # noqa: N802  (unittest's name)
    """One LocalStack for all tests."""
    global _server
    _server = LocalStackProcess()
    unittest.addModuleCleanup(_server.stop)


def function(handler: str, init: str = "pass", **configuration: Any) -> Function:
    """A new function with that handler."""
    return function_of(bootstrap(handler, init), **configuration)


def function_of(program: str, **configuration: Any) -> Function:
    """A new function with that bootstrap."""
    return _server.function(f"function-{next(_numbers)}", program, **configuration)


def open_for_writing(pid: int) -> set[str]:
    """The files that a process has open for writing, without sockets and pipes."""
    paths = set()
    for number in os.listdir(f"/proc/{pid}/fd"):
        # It may be closed by now.
        with contextlib.suppress(OSError):
            flags = int(Path(f"/proc/{pid}/fdinfo/{number}").read_text().split("flags:")[1].split()[0], 8)
            target = os.readlink(f"/proc/{pid}/fd/{number}")
            if target.startswith("/") and flags & (os.O_WRONLY | os.O_RDWR):
                paths.add(target)
    return paths


def is_gone(pid: int) -> bool:
    """Whether the process has ended."""
    return identify(pid) is None


class Invocation(unittest.TestCase):
    def test_an_event_goes_in_and_an_answer_comes_out(self) -> None:
        echo = function("return [event, headers['Lambda-Runtime-Invoked-Function-Arn']]")

        event, arn = echo.invoke({"text": "ü😀", "many": [1] * 50_000})

        self.assertEqual(event, {"text": "ü😀", "many": [1] * 50_000})
        self.assertTrue(arn.endswith(f":function:{echo.name}"), arn)

    def test_an_error_of_the_function_is_reported_and_the_process_goes_on(self) -> None:
        picky = function("if event == 'bad': raise ValueError('no')\nreturn os.getpid()")
        pid = picky.invoke("good")

        error = picky.error("bad")

        self.assertEqual(error, {"errorType": "ValueError", "errorMessage": "no"})
        self.assertEqual(picky.invoke("good"), pid)

    def test_an_event_comes_with_a_deadline_and_a_trace(self) -> None:
        timed = function("return [int(headers['Lambda-Runtime-Deadline-Ms']) - time.time() * 1000, headers['Lambda-Runtime-Trace-Id']]")

        left_ms, trace = timed.invoke()

        self.assertTrue(0 < left_ms <= 10_000, left_ms)
        self.assertTrue(trace.startswith("Root=1-"), trace)

    def test_one_process_takes_one_event_after_the_other(self) -> None:
        counting = function("calls.append(event)\nreturn [os.getpid(), len(calls)]", init="calls = []")

        answers = [counting.invoke(number) for number in range(3)]

        self.assertEqual([calls for _, calls in answers], [1, 2, 3])
        self.assertEqual(len({pid for pid, _ in answers}), 1)

    def test_a_function_that_is_deleted_ends(self) -> None:
        short_lived = function("return os.getpid()")
        pid = short_lived.invoke()

        short_lived.delete()

        eventually(lambda: is_gone(pid), bool)

    def test_it_is_not_frozen_between_events(self) -> None:
        """Lambda would freeze it; the executor does not emulate that."""
        going_on = function(
            "threading.Thread(target=go_on, args=[event]).start()",
            init="def go_on(folder):\n"
            "    while not os.path.exists(os.path.join(folder, 'answered')): time.sleep(0.01)\n"
            "    open(os.path.join(folder, 'went on'), 'w').close()",
        )
        with tempfile.TemporaryDirectory() as folder:
            going_on.invoke(folder)

            # Only this lets it go on; no further event comes.
            (Path(folder) / "answered").touch()

            eventually((Path(folder) / "went on").exists, bool)

    def test_other_runtimes_are_refused(self) -> None:
        refused = function("return 1", Runtime="python3.12", Handler="bootstrap.handler")

        self.assertEqual(refused.state()["State"], "Failed")
        self.assertIn("only functions of provided.* runtimes run as processes", refused.state()["StateReason"])


class Concurrency(unittest.TestCase):
    def test_concurrent_events_have_a_process_each(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            # Each waits until all have begun: in sequence, they would never end.
            meeting = function(
                "open(os.path.join(event, str(os.getpid())), 'w').close()\n"
                "while len(os.listdir(event)) < 4: time.sleep(0.01)\n"
                "return os.getpid()"
            )

            with ThreadPoolExecutor(4) as pool:
                pids = list(pool.map(meeting.invoke, [folder] * 4))
            # All have begun.
            later = meeting.invoke(folder)

        self.assertEqual(len(set(pids)), 4)
        self.assertIn(later, pids)

    def test_ending_one_does_not_end_the_others(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            two = function(
                "open(os.path.join(event[0], str(os.getpid())), 'w').close()\n"
                "while len(os.listdir(event[0])) < 2: time.sleep(0.01)\n"
                "if event[1]: os._exit(1)\n"
                "return 'done'"
            )

            with ThreadPoolExecutor(2) as pool:
                crash, other = pool.submit(two.error, [folder, True]), pool.submit(two.invoke, [folder, False])

                self.assertEqual(crash.result()["errorType"], "Runtime.ExitError")
                self.assertEqual(other.result(), "done")


class Timeout(unittest.TestCase):
    # It answers its process id, or nothing until its timeout. Then the processes that it started must end with it.
    HANDLER = (
        "if event == 'pid': return os.getpid()\n"
        "child = subprocess.Popen(['sleep', '600'])\n"
        "print('child', child.pid, flush=True)\n"
        "time.sleep(600)"
    )

    def test_the_process_is_killed_with_all_that_it_started_and_the_next_event_has_a_new_one(self) -> None:
        hanging = function(self.HANDLER, Timeout=1)
        pid = hanging.invoke("pid")

        error = hanging.error("hang")

        self.assertEqual(error["errorType"], "Sandbox.Timedout")
        self.assertRegex(error["errorMessage"], r"^RequestId: [0-9a-f-]{36} Error: Task timed out after 1.00 seconds$")
        self.assertTrue(is_gone(pid))
        children = eventually(lambda: [line for line in hanging.logged() if line.startswith("child ")], bool)
        eventually(lambda: is_gone(int(children[0].split()[1])), bool)
        self.assertNotIn(hanging.invoke("pid"), (pid, None))

    def test_its_output_before_the_timeout_is_logged(self) -> None:
        hanging = function("print('so far', flush=True)\ntime.sleep(600)", Timeout=1)

        hanging.error()

        lines = eventually(hanging.logged, lambda lines: any(line.startswith("REPORT") for line in lines))
        self.assertIn("so far", lines)
        self.assertTrue(any("Task timed out after 1.00 seconds" in line for line in lines), lines)

    def test_a_start_that_takes_too_long_is_ended(self) -> None:
        slow = function("return 1", init="time.sleep(600)")

        error = slow.error()

        self.assertEqual(error["errorType"], "Sandbox.Timedout")
        self.assertIn("Task timed out after 10.00 seconds", error["errorMessage"])


class Crash(unittest.TestCase):
    def test_the_event_under_way_fails_with_how_it_ended_and_the_next_one_has_a_new_process(self) -> None:
        for crash, how in {
            "os._exit(3)": "Runtime exited with error: exit status 3",
            "os._exit(0)": "Runtime exited without providing a reason",
            "os.kill(os.getpid(), signal.SIGKILL)": "Runtime exited with error: signal: killed",
        }.items():
            with self.subTest(crash):
                crashing = function(f"if event == 'crash': {crash}\nreturn os.getpid()")
                pid = crashing.invoke()

                error = crashing.error("crash")

                self.assertEqual(error["errorType"], "Runtime.ExitError")
                self.assertTrue(error["errorMessage"].endswith(f" Error: {how}"), error)
                self.assertNotEqual(crashing.invoke(), pid)

    def test_one_that_ends_between_events_is_started_again(self) -> None:
        leaving = function("threading.Timer(0.1, lambda: (print('bye', flush=True), os._exit(0))).start()\nreturn os.getpid()")
        pid = leaving.invoke()
        eventually(lambda: is_gone(pid), bool)

        self.assertNotEqual(leaving.invoke(), pid)

        # Its output after the answer is reported with the next event.
        eventually(leaving.logged, lambda lines: "bye" in lines)


class Init(unittest.TestCase):
    def test_an_error_that_it_reports_fails_the_event(self) -> None:
        failing = function("return 1", init="call('POST', 'init/error', json.dumps({'errorType': 'Config', 'errorMessage': 'X is missing'}))")

        self.assertEqual(failing.error(), {"errorType": "Config", "errorMessage": "X is missing"})

    def test_an_end_without_a_report_is_reported_with_its_output(self) -> None:
        failing = function("return 1", init="print('X is missing', file=sys.stderr); sys.exit(1)")

        error = failing.error()

        self.assertEqual(error["errorType"], "Runtime.ExitError")
        self.assertTrue(error["errorMessage"].endswith("Runtime exited with error: exit status 1"), error)
        eventually(failing.logged, lambda lines: "X is missing" in lines)

    def test_each_event_tries_again(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            marker = Path(folder) / "repaired"
            repaired = function("return 'repaired'", init=f"os.path.exists({str(marker)!r}) or sys.exit(1)")
            repaired.error()
            marker.touch()

            self.assertEqual(repaired.invoke(), "repaired")

    def test_a_bootstrap_that_is_missing_or_cannot_be_run_is_reported(self) -> None:
        for program in ("", "#!/no/such/interpreter\n"):
            with self.subTest(program):
                self.assertEqual(function_of(program).error()["errorType"], "Runtime.InvalidEntrypoint")


class Environment(unittest.TestCase):
    def test_it_has_lambdas_variables_and_the_configured_ones_and_none_of_the_users(self) -> None:
        telling = function("return dict(os.environ)", Environment={"Variables": {"TABLE": "orders", "AWS_LAMBDA_EXEC_WRAPPER": ""}})

        environment = telling.invoke()

        expected = {
            "TABLE": "orders", "AWS_REGION": "us-east-1", "AWS_LAMBDA_FUNCTION_NAME": telling.name,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128", "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST", "_HANDLER": "bootstrap",
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{_server.port}",
        }  # fmt: skip
        self.assertEqual({name: environment.get(name) for name in expected}, expected)
        self.assertFalse(set(USER.values()) & set(environment.values()))
        self.assertNotIn("HOME", environment)

    def test_it_runs_in_the_folder_of_its_code(self) -> None:
        where = function("return [os.getcwd(), os.environ['LAMBDA_TASK_ROOT'], os.listdir()]")

        folder, root, files = where.invoke()

        self.assertEqual((folder, files), (root, ["bootstrap"]))
        self.assertTrue(folder.startswith(str(_server.instance.folder)), folder)


class Logs(unittest.TestCase):
    def test_its_output_is_in_its_log_group_between_lambdas_lines(self) -> None:
        writing = function("print('out', event, flush=True)\nprint('err', event, file=sys.stderr, flush=True)")

        for number in range(2):
            writing.invoke(number)

        lines = eventually(writing.logged, lambda lines: sum(line.startswith("REPORT") for line in lines) == 2)
        kinds = [line.split()[0] for line in lines]
        self.assertEqual(kinds, ["START", "out", "err", "END", "REPORT"] * 2)
        self.assertEqual([line for line in lines if line.startswith("out")], ["out 0", "out 1"])

    def test_it_writes_to_the_group_that_its_configuration_names(self) -> None:
        group = f"group-{next(_numbers)}"
        writing = function("print('here', flush=True)\nreturn os.environ['AWS_LAMBDA_LOG_GROUP_NAME']", LoggingConfig={"LogGroup": group})

        self.assertEqual(writing.invoke(), group)

        eventually(lambda: writing.logged(group), lambda lines: "here" in lines)

    def test_a_talkative_function_is_not_held_up(self) -> None:
        talkative = function("print('x' * 1_000_000, flush=True)\nreturn 'done'")

        self.assertEqual(talkative.invoke(), "done")


class Machine(unittest.TestCase):
    def test_everything_listens_on_loopback_only(self) -> None:
        function("return 1").invoke()
        _server.client("dynamodb").list_tables()

        found = listeners(process_tree(_server.instance))

        self.assertIn(_server.port, {port for _, port in found})
        self.assertGreaterEqual(len(found), 3, "LocalStack, dynoxide and a Runtime API")
        self.assertLessEqual({address for address, _ in found}, LOOPBACK)

    def test_every_file_open_for_writing_is_in_the_instances_folder(self) -> None:
        function("return 1").invoke()
        s3 = _server.client("s3")
        s3.create_bucket(Bucket="bucket")
        s3.put_object(Bucket="bucket", Key="large", Body=b"x" * 1_000_000)

        written = {path for pid in process_tree(_server.instance) for path in open_for_writing(pid)}

        self.assertTrue(written)
        outside = {path for path in written if not path.startswith((f"{_server.instance.folder}/", "/dev/"))}
        self.assertEqual(outside, set())

    def test_the_users_home_is_left_alone(self) -> None:
        self.assertEqual(os.listdir(_server.home), [])

    def test_it_is_the_version_that_the_gaps_are_closed_for(self) -> None:
        self.assertIn("LocalStack version: 2026.3.0", _server.log())


class InvocationErrors(unittest.TestCase):
    def test_a_failed_invocation_is_an_error_to_its_caller(self) -> None:
        with self.assertRaises(InvocationError):
            function("raise ValueError").invoke()
