"""Pinned tools from PyPI, each set in a separate virtual environment in `.local/tools`.

The environments are separate because MiniStack, AWS SAM and checkov pin different versions of botocore. Packages are installed from
lock files with hashes. Cargo builds programs that are not on PyPI, with their published lock file. A stamp, written last, shows that
an environment is complete and up to date.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from . import pythons
from .environment import without_aws
from .failure import Failure
from .files import exclusive, tail
from .layout import REQUIREMENTS_FOLDER, TOOLS_FOLDER, short
from .prerequisites import check_python, check_rust

MINISTACK, LOCALSTACK, SAM, TEST, CHECKOV, CARGO, PROSE = "ministack", "localstack", "sam", "test", "checkov", "cargo", "prose"
SETS = (MINISTACK, LOCALSTACK, SAM, TEST, CHECKOV, CARGO, PROSE)

# Installs the sets. Python's own pip takes twice as long, and a copy in each environment costs more seconds.
_PIP = "pip"

# A program of each set, to detect an incomplete environment.
_WITNESS = {
    MINISTACK: "python", LOCALSTACK: "dynoxide", SAM: "sam", TEST: "node", CHECKOV: "checkov", CARGO: "cargo-shear", PROSE: "typos",
    _PIP: "pip",
}  # fmt: skip

# Sets that need another Python than the running one: version, user, reason.
_PYTHONS = {
    LOCALSTACK: (
        "3.13", "LocalStack's open-source core",
        "it uses features of Python 3.13, and its dependencies do not support a newer version",
    ),
}  # fmt: skip

# PyPI has only their source. Installing them runs code, with the build tools of requirements/build.txt; by default, pip
# would download the newest build tools, without hashes.
_SOURCES = {MINISTACK: ("airspeed-ext",), LOCALSTACK: ("airspeed-ext", "crontab", "jsonpath-rw")}


@dataclass(frozen=True)
class Crate:
    """A program from crates.io. Cargo checks downloads against the hashes of its index."""

    name: str
    version: str
    # Features instead of the defaults.
    features: str | None = None

    def __str__(self) -> str:
        return f"{self.name}@{self.version}"

    def arguments(self) -> list[str]:
        """Its arguments of `cargo install`."""
        return [str(self), *(["--no-default-features", "--features", self.features] if self.features else [])]


# LocalStack's DynamoDB: see localstack/gaps/dynamodb_engine.py. It prints another version than the crate's.
DYNOXIDE = Crate("dynoxide-rs", "3.2.0", "native-sqlite,http-server,cli")

_CRATES = {LOCALSTACK: (DYNOXIDE,)}

# Settings for package sources and the network. Other settings of pip could install other packages, or elsewhere. Source: pip
# documentation, "Configuration", "Environment Variables".
_PIP_SETTINGS = frozenset({
    "PIP_CACHE_DIR", "PIP_CERT", "PIP_CLIENT_CERT", "PIP_CONFIG_FILE", "PIP_DEFAULT_TIMEOUT", "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS",
    "PIP_INDEX_URL", "PIP_KEYRING_PROVIDER", "PIP_NO_CACHE_DIR", "PIP_NO_INDEX", "PIP_PROXY", "PIP_RETRIES", "PIP_TIMEOUT",
    "PIP_TRUSTED_HOST", "PIP_USE_FEATURE",
})  # fmt: skip

# Unoptimized, they compile in less than half the time, and are fast enough.
_CRATE_SETTINGS = {"CARGO_PROFILE_RELEASE_OPT_LEVEL": "0"}


def bin_folder(name: str) -> Path:
    """The folder with the commands of a tool set."""
    return TOOLS_FOLDER / name / "bin"


def python(name: str) -> Path:
    """The Python of a tool set."""
    return bin_folder(name) / "python"


def version_of(name: str, package: str) -> str:
    """The version of a package in a set that is installed."""
    code = f"import importlib.metadata; print(importlib.metadata.version({package!r}))"
    return subprocess.run([str(python(name)), "-c", code], capture_output=True, text=True, check=True).stdout.strip()


def stamp(requirements: Path, found: pythons.Python, more: tuple[str, ...] = ()) -> str:
    """The inputs of an environment: the lock file's hash, the Python version, and the built programs."""
    version = ".".join(map(str, found.version))
    return " ".join([_digest(requirements), "python", version, found.base_prefix, *more]) + "\n"


def is_installed(name: str) -> bool:
    """Whether the set is complete and matches the current lock file."""
    environment = TOOLS_FOLDER / name
    try:
        found = (environment / "stamp").read_text(encoding="utf-8")
    except OSError:
        return False
    return (environment / "bin" / _WITNESS[name]).exists() and found == _stamp(name, _python_for(name))


def install(name: str, say: Callable[[str], None]) -> None:
    """Install the set if it is missing or outdated."""
    if not is_installed(name):
        check_python()
        found = _python_for(name)
        say(f"installing {name} tools into {short(TOOLS_FOLDER / name)}")
        _create(name, found)
        say(f"{name} tools are installed")


def install_all(names: tuple[str, ...], say: Callable[[str], None]) -> None:
    """Install several sets concurrently; only one process installs at a time. Raises the first failure after all have ended."""
    if all(map(is_installed, names)):
        return

    def wait(holder: str) -> None:
        say(f"another command (pid {holder}) is installing tools: waiting for it")

    with exclusive(TOOLS_FOLDER / "install.lock", wait):
        if not all(map(is_installed, names)):
            install(_PIP, say)
        with ThreadPoolExecutor() as pool:
            for done in [pool.submit(install, name, say) for name in names]:
                done.result()


def _python_for(name: str) -> pythons.Python:
    return pythons.find(*_PYTHONS[name]) if name in _PYTHONS else pythons.Python.running()


def _stamp(name: str, found: pythons.Python) -> str:
    build_tools = (_digest(_requirements("build")),) if name in _SOURCES else ()
    return stamp(_requirements(name), found, (*build_tools, *map(str, _CRATES.get(name, ()))))


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _requirements(name: str) -> Path:
    return REQUIREMENTS_FOLDER / f"{name}.txt"


def _create(name: str, found: pythons.Python) -> None:
    environment = TOOLS_FOLDER / name
    if environment.exists():
        shutil.rmtree(environment)
    TOOLS_FOLDER.mkdir(parents=True, exist_ok=True)
    log = TOOLS_FOLDER / f"{name}.log"
    log.unlink(missing_ok=True)
    own_pip = name == _PIP
    venv = [found.path, "-m", "venv", *([] if own_pip else ["--without-pip"]), str(environment)]
    _run(venv, log, "create a virtual environment")
    pip = [str(python(_PIP)), "-m", "pip", *([] if own_pip else ["--python", str(python(name))]), "install"]
    pip += ["--disable-pip-version-check", "--no-input", "--quiet", "--require-hashes", "--no-deps"]
    pip += ["--only-binary", ":all:"]
    packages = ["-r", str(_requirements(name))]
    if name in _SOURCES:
        _run([*pip, "-r", str(_requirements("build"))], log, "install build tools")
        packages += ["--no-binary", ",".join(_SOURCES[name]), "--no-build-isolation", "--use-pep517"]
    _run([*pip, *packages], log, f"install the {name} tools")
    for crate in _CRATES.get(name, ()):
        check_rust()
        command = ["cargo", "install", "--locked", "--root", str(environment), *crate.arguments()]
        _run(command, log, f"build {crate}", _CRATE_SETTINGS)
    (environment / "stamp").write_text(_stamp(name, found), encoding="utf-8")


def _run(command: list[str], log: Path, purpose: str, settings: Mapping[str, str] = MappingProxyType({})) -> None:
    environment = {**_environment(), **settings}
    with log.open("a", encoding="utf-8") as output:
        done = subprocess.run(command, stdout=output, stderr=subprocess.STDOUT, env=environment, check=False)
    if done.returncode != 0:
        raise Failure(
            f"Could not {purpose}:\n{tail(log)}\n"
            f"  Log:  {short(log)}\n"
            "  Do:   check the network (packages come from PyPI and crates.io), then run the same command again: it starts from the beginning."
        )


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in without_aws().items() if not name.startswith("PIP_") or name in _PIP_SETTINGS}
    # The user's pip.conf may set both; variables override it.
    return {**kept, "PIP_USER": "0", "PIP_REQUIRE_VIRTUALENV": "0"}
