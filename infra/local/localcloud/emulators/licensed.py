"""LocalStack's licensed image: provided, and not run by this project."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess

from .. import tools
from ..failure import Failure
from ..layout import LOCAL_FOLDER, Instance
from .base import Emulator

_COMPOSE = LOCAL_FOLDER / "compose.yaml"
_TOKEN = "LOCALSTACK_AUTH_TOKEN"


class LicensedLocalStack(Emulator):
    """https://docs.localstack.cloud, as `compose.yaml` starts it. Needs Docker, and a token of an account at LocalStack."""

    name = "localstack"
    title = "LocalStack (licensed)"
    # For the Python that runs the launcher and the issuer: LocalStack itself is in the image.
    tool_set = tools.EMULATOR
    launcher = LOCAL_FOLDER / "licensed" / "launch.py"
    # It has WebSocket APIs in some plans, but not under the addresses that the template has for a local cloud.
    stack_parameters = ("Callbacks=none",)
    keeps_data = False
    # The first time, the image comes.
    ready_seconds = 600.0
    health = ("/_localstack/health", "edition")
    # Docker listens for it, and functions run in containers.
    listens_itself = False
    runs_functions_on_this_machine = False

    def check(self) -> None:
        """Docker, its compose plugin, somebody to ask there, and the token."""
        for command, missing in (
            (["docker", "--version"], "Docker is not installed"),
            (["docker", "compose", "version"], "Docker has no compose plugin"),
            (["docker", "info"], "Docker does not answer"),
        ):
            if (complaint := _complaint(command)) is not None:
                raise Failure(
                    f"{missing}: `{' '.join(command)}` says {complaint!r}.\n"
                    f"  Why:  {self.title} is a container, and starts containers.\n"
                    "  Do:   install Docker Engine with its compose plugin (https://docs.docker.com/engine/install/) and start it;\n"
                    "        or use an emulator that needs none: make up, make test-localstack."
                )
        if not os.environ.get(_TOKEN):
            raise Failure(
                f"{_TOKEN} is not set.\n"
                f"  Why:  {self.title} starts for accounts of LocalStack alone.\n"
                f"  Do:   export {_TOKEN}=… with the token of https://app.localstack.cloud (Auth Tokens);\n"
                "        or use an emulator that needs none: make up, make test-localstack."
            )

    def stack_endpoint(self, port: int) -> str:
        """A name that is this machine here, and LocalStack in the containers of functions."""
        return f"http://localhost.localstack.cloud:{port}"

    def settings(self, instance: Instance, port: int) -> dict[str, str]:
        """What compose.yaml asks for; containers are this instance's by the project's name."""
        folder = str(instance.folder.resolve()).encode()
        return {"TWOLANE_PORT": str(port), "TWOLANE_INSTANCE": hashlib.sha256(folder).hexdigest()[:8]}

    def parts(self) -> dict[str, str]:
        """The image has everything."""
        image = re.search(r"^ *image: (\S+)$", _COMPOSE.read_text(encoding="utf-8"), re.MULTILINE)
        assert image, "compose.yaml names an image"
        return {"emulator": image[1], "executor": "its own: functions in containers", "engine": "its own"}


def _complaint(command: list[str]) -> str | None:
    """What a command says when it fails; None when it does not."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    lines = [line.strip() for line in (done.stderr or done.stdout).splitlines() if line.strip()]
    return (lines[0] if lines else f"exit code {done.returncode}") if done.returncode else None
