"""DynamoDB without Amazon's jar.

AWS: DynamoDB.

LocalStack 2026.3.0: downloads and starts DynamoDB Local, a Java program, and a Java runtime. The licence of DynamoDB Local forbids
redistribution.

Here: starts dynoxide instead, which speaks the same protocol and keeps tables in memory. It has no streams.
https://docs.rs/crate/dynoxide-rs/3.2.0
"""

import os

from localstack.services.dynamodb import server
from localstack.utils.run import ShellCommandThread

# The binary's path.
_VARIABLE = "TWOLANE_DYNOXIDE"


def apply() -> None:
    """Replace the command of the DynamoDB server, and the installation before it."""
    binary = os.environ[_VARIABLE]

    def start(self) -> ShellCommandThread:
        command = [binary, "serve", "--host", "127.0.0.1", "--port", str(self.port), "--log", "quiet"]
        thread = ShellCommandThread(command, name="dynoxide")
        server.TMP_THREADS.append(thread)
        thread.start()
        return thread

    server.DynamodbServer.do_start_thread = start
