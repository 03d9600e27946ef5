"""The interface of an emulator."""

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

# Marks every process of an instance, with the instance's folder.
MARKER = "TWOLANE_LOCAL_CLOUD"

# Never use the user's proxy for loopback.
_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Emulator(ABC):
    """A program that answers like AWS. One of our launchers starts it, with a separate Python."""

    # The name for `--emulator`, and the name for people.
    name: str
    title: str
    # The tool set with the Python of the launcher and the issuer.
    tool_set: str
    launcher: Path
    # Parameters besides those of every local stack.
    stack_parameters: Mapping[str, str] = MappingProxyType({})
    # Whether data survive a clean stop.
    keeps_data: bool
    # Longest time until it answers.
    ready_seconds: float
    # A path that only this emulator answers, and a field of the answer.
    health: tuple[str, str]

    def is_healthy(self, port: int) -> bool:
        """Whether this emulator, and not another program, answers on the port."""
        path, field = self.health
        try:
            with _direct.open(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
                return field in json.load(answer)
        except (OSError, ValueError, urllib.error.URLError):
            return False

    def environment(self, instance: Instance, port: int) -> dict[str, str]:
        """Its environment, which functions inherit: the settings of this instance, without the user's."""
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
        """Its configuration: on loopback only, with all files in the instance's folder."""

    @abstractmethod
    def parts(self) -> dict[str, str]:
        """Its parts, with versions. Needs its tool set."""
