"""The emulators that the local cloud can run on."""

from __future__ import annotations

from .base import Emulator
from .localstack import LocalStack
from .ministack import MiniStack

MINISTACK: Emulator = MiniStack()
LOCALSTACK: Emulator = LocalStack()

# By name, the default first.
ALL: dict[str, Emulator] = {emulator.name: emulator for emulator in (MINISTACK, LOCALSTACK)}
DEFAULT = MINISTACK
