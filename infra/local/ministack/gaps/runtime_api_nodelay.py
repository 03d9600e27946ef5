"""Lambda invocations without a delay of 40 ms.

AWS: a warm invocation adds about a millisecond.
https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html

MiniStack 1.5.33: its Runtime API, which the functions poll, leaves Nagle's algorithm on; together with delayed
acknowledgements each invocation waits about 40 ms.

Here: TCP_NODELAY on every connection of Python's socket servers in this process.
"""

import socketserver


def apply() -> None:
    """Turn Nagle's algorithm off."""
    socketserver.StreamRequestHandler.disable_nagle_algorithm = True
