"""Where LocalStack listens.

Not a difference from AWS: a local cloud is for this machine, because every caller may do everything.

LocalStack 2026.3.0: uses the port of GATEWAY_LISTEN but, for IPv4, ignores the address: it listens on all addresses.

Here: only on 127.0.0.1.
"""

from localstack.runtime.server import twisted
from twisted.internet import endpoints


class _LoopbackEndpoints:
    """Replaces Twisted's module in LocalStack."""

    @staticmethod
    def TCP4ServerEndpoint(reactor, port: int) -> endpoints.TCP4ServerEndpoint:  # noqa: N802  (Twisted's name)
        return endpoints.TCP4ServerEndpoint(reactor, port, interface="127.0.0.1")


def apply() -> None:
    """Replace the module. It has no endpoint for IPv6."""
    twisted.endpoints = _LoopbackEndpoints
