"""What the local cloud has to know of an emulator."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from ..environment import aws_settings, of_the_machine
from ..layout import Instance

# Every process that belongs to an instance has this in its environment, with the instance's folder.
MARKER = "TWOLANE_LOCAL_CLOUD"

# Loopback is never reached through the user's proxy.
_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Emulator(ABC):
    """A program that answers as AWS does, started by a launcher of ours with a Python of its own."""

    # As `--emulator` takes it, and as people read it.
    name: str
    title: str
    # Its tools, the first of which has the Python that runs the launcher and the issuer.
    tool_set: str
    launcher: Path
    # What the stack's parameters are besides those of every local stack.
    stack_parameters: Mapping[str, str] = MappingProxyType({})
    # Whether data survive an end in good order.
    keeps_data: bool
    # How long it may take to answer.
    ready_seconds: float
    # A path that it alone answers, and what is in the answer.
    health: tuple[str, str]

    def is_healthy(self, port: int) -> bool:
        """Whether it, and nobody else, answers on the port."""
        path, field = self.health
        try:
            with _direct.open(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
                return field in json.load(answer)
        except (OSError, ValueError, urllib.error.URLError):
            return False

    def environment(self, instance: Instance, port: int) -> dict[str, str]:
        """Its environment, which functions inherit: nothing of the user's settings, and all that makes it this instance's."""
        return {
            **of_the_machine(),
            **aws_settings(port),
            "PYTHONUNBUFFERED": "1",
            "PYTHONDONTWRITEBYTECODE": "1",
            "TMPDIR": str(instance.temporary.resolve()),
            MARKER: str(instance.folder.resolve()),
            **self.settings(instance, port),
        }

    @abstractmethod
    def settings(self, instance: Instance, port: int) -> dict[str, str]:
        """Its own configuration: on loopback only, with all files in the instance's folder."""

    @abstractmethod
    def parts(self) -> dict[str, str]:
        """What it is made of, with versions; its tools must be there."""
