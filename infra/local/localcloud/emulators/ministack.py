"""MiniStack: the default emulator, with everything that the stack needs."""

from __future__ import annotations

from .. import tools
from ..layout import LOCAL_FOLDER, Instance
from .base import Emulator


class MiniStack(Emulator):
    """https://pypi.org/project/ministack/, with gaps closed by `ministack/launch.py`."""

    name = "ministack"
    title = "MiniStack"
    tool_set = tools.MINISTACK
    launcher = LOCAL_FOLDER / "ministack" / "launch.py"
    keeps_data = True
    ready_seconds = 30.0
    health = ("/_ministack/health", "version")

    def settings(self, instance: Instance, port: int) -> dict[str, str]:
        """Its configuration. Functions inherit it: they use AWS_ENDPOINT_URL and have no other credentials."""
        return {
            "GATEWAY_PORT": str(port),
            "BIND_HOST": "127.0.0.1",
            # Enforces policies: a function may do only what its role allows; test/test may do everything.
            "AUTH": "true",
            "IOT_MTLS_ENABLED": "0",
            # For `restart`: written at a clean stop, read at the next start.
            "PERSIST_STATE": "1",
            "STATE_DIR": str(instance.state.resolve()),
        }

    def parts(self) -> dict[str, str]:
        """MiniStack alone: it has an executor and an engine."""
        version = f"{self.title} {tools.version_of(self.tool_set, 'ministack')}"
        return {"emulator": version, "executor": f"{version}'s own: functions as processes", "engine": f"{version}'s own"}
