"""Where LocalStack listens.

Not a matter of AWS: a local cloud is for this machine, and whoever reaches it may do everything.

LocalStack 2026.3.0: takes the port of GATEWAY_LISTEN and, for IPv4, leaves out the address: it listens on all of them.

Here: on 127.0.0.1 alone.
"""

from localstack.runtime.server import twisted
from twisted.internet import endpoints


class _LoopbackEndpoints:
    """Stands where LocalStack has Twisted's module."""

    @staticmethod
    def TCP4ServerEndpoint(reactor, port: int) -> endpoints.TCP4ServerEndpoint:  # noqa: N802  (Twisted's name)
        return endpoints.TCP4ServerEndpoint(reactor, port, interface="127.0.0.1")


def apply() -> None:
    """Replace the module; for IPv6 there is nothing in its place."""
    twisted.endpoints = _LoopbackEndpoints
