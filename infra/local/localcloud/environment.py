"""Environment variables: what the emulator, SAM, the functions and a tested command may see."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from .layout import Instance, TOOLS_FOLDER

REGION = "us-east-1"
# The account of the credentials test/test.
ACCOUNT = "000000000000"

# Removed: AWS tools could reach a real account with them. Others are addresses of another Twolane stack, and settings with
# which the Python of a tool set would load other modules.
_FOREIGN_PREFIXES = ("AWS_", "SAM_", "TWOLANE_", "PYTHON")
# Set for Git's hooks, for example one that runs the tests before a push. Git commands below would use the hook's
# repository. Source: `git rev-parse --local-env-vars`.
_OF_A_GIT_HOOK = frozenset({
    "GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_COMMON_DIR", "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
})  # fmt: skip

# These describe this machine. None is a setting of an emulator, a linter or a function.
_OF_THE_MACHINE = frozenset({"HOME", "LANG", "LANGUAGE", "LOGNAME", "PATH", "SHELL", "TZ", "USER"})
_OF_THE_MACHINE_PREFIXES = ("DYLD_", "LC_", "LD_", "NIX_")


def endpoint(port: int) -> str:
    """The URL of the emulator. With `localhost` instead of 127.0.0.1, SAM and the SDKs use path-style addresses."""
    return f"http://localhost:{port}"


def without_aws(base: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment without the user's AWS profiles, tokens and credentials, and without settings for Python and Git hooks."""
    source = os.environ if base is None else base
    return {name: value for name, value in source.items() if not name.startswith(_FOREIGN_PREFIXES) and name not in _OF_A_GIT_HOOK}


def of_the_machine() -> dict[str, str]:
    """The environment for programs that read settings from variables with common names, such as `LOG_LEVEL` or `SERVICES`."""
    return {name: value for name, value in os.environ.items() if name in _OF_THE_MACHINE or name.startswith(_OF_THE_MACHINE_PREFIXES)}


def aws_settings(port: int) -> dict[str, str]:
    """Settings with which every AWS client, in any language, uses only the local cloud."""
    return {
        "AWS_ENDPOINT_URL": endpoint(port),
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def loopback_without_proxy(base: Mapping[str, str]) -> dict[str, str]:
    """Settings that exclude loopback from the user's HTTP proxy; none without a proxy."""
    if not any(base.get(name) for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy")):
        return {}
    kept = base.get("no_proxy") or base.get("NO_PROXY") or ""
    value = ",".join(part for part in (kept, "localhost", "127.0.0.1") if part)
    return {"NO_PROXY": value, "no_proxy": value}


def sam_bin() -> Path:
    """The folder of `sam`, `cfn-lint` and `cargo-lambda`."""
    return TOOLS_FOLDER / "sam" / "bin"


def path_with_sam(base: Mapping[str, str]) -> str:
    """PATH with the pinned SAM first, once."""
    first = str(sam_bin())
    rest = [part for part in base.get("PATH", os.defpath).split(os.pathsep) if part != first]
    return os.pathsep.join([first, *rest])


def command_settings(instance: Instance, port: int, outputs: Mapping[str, str]) -> dict[str, str]:
    """The variables that `env` prints and that `exec` gives to its command; `outputs` are those of the stack on that port."""
    return {
        **aws_settings(port),
        **loopback_without_proxy(os.environ),
        "SAM_CLI_TELEMETRY": "0",
        # Seconds between two polls of a change set or a stack. SAM's default of 5 respects AWS's rate limits.
        "SAM_CLI_POLL_DELAY": "0.2",
        "TWOLANE_OUTPUTS": str(instance.outputs.resolve()),
        **_urls(outputs),
        **build_target(),
        "PATH": path_with_sam(os.environ),
    }


def build_target() -> dict[str, str]:
    """The target that cargo-lambda names for this machine. With the same target, `cargo` reuses its build."""
    try:
        output = subprocess.run(["rustc", "-vV"], capture_output=True, text=True, check=False).stdout
    except OSError:
        return {}
    return {"CARGO_BUILD_TARGET": line.removeprefix("host: ") for line in output.splitlines() if line.startswith("host: ")}


def _urls(outputs: Mapping[str, str]) -> dict[str, str]:
    """The URLs of the stack, for curl, wscat and `twolane`."""
    names = {"TWOLANE_API_URL": "ApiUrl", "TWOLANE_WEBSOCKET_URL": "WebSocketUrl"}
    return {name: outputs[output] for name, output in names.items() if output in outputs}


def command_environment(instance: Instance, port: int, outputs: Mapping[str, str]) -> dict[str, str]:
    """All environment variables of a command that works with the instance."""
    return {**without_aws(), **command_settings(instance, port, outputs)}


def foreign_names() -> list[str]:
    """Variables that a shell must unset before it uses the local cloud."""
    return sorted(name for name in os.environ if name.startswith(("AWS_", "TWOLANE_")) and name not in aws_settings(0))


def release_environment() -> dict[str, str]:
    """Environment variables for builds for AWS, without credentials: compilers and build scripts get no access to an account."""
    variables = {**without_aws(), "PATH": path_with_sam(os.environ), "SAM_CLI_TELEMETRY": "0"}
    # cargo-lambda chooses the target by the processor.
    variables.pop("CARGO_BUILD_TARGET", None)
    return variables
