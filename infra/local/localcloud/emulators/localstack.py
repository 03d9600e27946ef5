"""LocalStack's open-source core: the second emulator, without WebSocket APIs."""

from __future__ import annotations

from types import MappingProxyType

from .. import tools
from ..layout import LOCAL_FOLDER, Instance
from .base import Emulator


class LocalStack(Emulator):
    """https://pypi.org/project/localstack-core/, with gaps closed by `localstack/launch.py`. Needs no token and no Docker."""

    name = "localstack-core"
    title = "LocalStack core"
    tool_set = tools.LOCALSTACK
    launcher = LOCAL_FOLDER / "localstack" / "launch.py"
    # WebSocket APIs are in LocalStack's paid plans.
    stack_parameters = MappingProxyType({"Callbacks": "none"})
    keeps_data = False
    ready_seconds = 60.0
    health = ("/_localstack/health", "edition")

    def settings(self, instance: Instance, port: int) -> dict[str, str]:
        """https://docs.localstack.cloud/aws/capabilities/config/configuration/"""
        root = (instance.temporary / "localstack").resolve()
        return {
            "GATEWAY_LISTEN": f"127.0.0.1:{port}",
            "LOCALSTACK_HOST": f"localhost:{port}",
            # Without the first, it writes to /var/lib and /etc; without the others, to the user's home.
            "OVERRIDE_IN_DOCKER": "0",
            "FILESYSTEM_ROOT": str(root),
            "HOME": str(root),
            "XDG_CACHE_HOME": str(root / "cache"),
            # No network: no name server, no download of certificates, no usage data.
            "DNS_ADDRESS": "0",
            "SKIP_SSL_CERT_DOWNLOAD": "1",
            "DISABLE_EVENTS": "1",
            # Otherwise it uses host names that do not resolve.
            "SQS_ENDPOINT_STRATEGY": "path",
            "LAMBDA_RUNTIME_EXECUTOR": "process",
            "TWOLANE_DYNOXIDE": str(tools.bin_folder(self.tool_set) / "dynoxide"),
            # Seconds between two polls of a queue, and the maximum for an empty queue. Defaults: 1 and 10.
            "LAMBDA_EVENT_SOURCE_MAPPING_POLL_INTERVAL_SEC": "0.1",
            "LAMBDA_EVENT_SOURCE_MAPPING_MAX_BACKOFF_ON_EMPTY_POLL_SEC": "0.5",
        }

    def parts(self) -> dict[str, str]:
        """The emulator, with a separate executor and a separate DynamoDB engine."""
        return {
            "emulator": f"{self.title} {tools.version_of(self.tool_set, 'localstack-core')}",
            "executor": "process_executor of this repository: functions as processes, without Docker",
            "engine": f"{tools.DYNOXIDE.name} {tools.DYNOXIDE.version} for DynamoDB",
        }
