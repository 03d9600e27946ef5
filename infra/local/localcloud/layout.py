"""Paths: the files of the repository, and the state files of an instance."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path

LOCAL_FOLDER = Path(__file__).resolve().parent.parent
REPOSITORY = LOCAL_FOLDER.parent.parent
REQUIREMENTS_FOLDER = LOCAL_FOLDER / "requirements"
PROSE_FOLDER = LOCAL_FOLDER / "prose"
EXPANDER = LOCAL_FOLDER / "expand_template.py"
PACKER = LOCAL_FOLDER / "pack_functions.py"
ISSUER = LOCAL_FOLDER / "issuer.py"
TESTS_FOLDER = LOCAL_FOLDER / "tests"
LOCALSTACK_FOLDER = LOCAL_FOLDER / "localstack"
AWS_TESTS_FOLDER = LOCAL_FOLDER.parent / "aws" / "tests"
TOOLS_FOLDER = REPOSITORY / ".local" / "tools"
# Subcommands that people start by make.
_MADE = {"up": "make up", "down": "make down", "env": "make -s env"}


@dataclass(frozen=True)
class Project:
    """A folder with `template.yaml` and `samconfig.toml`: this repository, or a small project of a test."""

    root: Path

    @property
    def template(self) -> Path:
        return self.root / "template.yaml"

    @property
    def samconfig(self) -> Path:
        return self.root / "samconfig.toml"

    @property
    def build_folder(self) -> Path:
        """The output of `sam build`, for all instances of the project."""
        return self.root / ".local" / "build"

    @property
    def built_template(self) -> Path:
        return self.build_folder / "template.yaml"

    @property
    def linted(self) -> Path:
        """The hash of the files that last passed the linters."""
        return self.root / ".local" / "linted"

    @property
    def prose(self) -> Path:
        """In which texts the prose check last found nothing."""
        return self.root / ".local" / "prose"

    @property
    def lock(self) -> Path:
        """Held while tools are installed and functions are built; shared during deployments."""
        return self.root / ".local" / "build.lock"


@dataclass(frozen=True)
class Instance:
    """One running local cloud and the files that describe it, all in one folder."""

    folder: Path

    @property
    def record(self) -> Path:
        """Name, process id, start time and port of the emulator."""
        return self.folder / "emulator.json"

    @property
    def deployed(self) -> Path:
        """What was last deployed, and to which emulator process."""
        return self.folder / "deployed.json"

    @property
    def outputs(self) -> Path:
        """The stack's outputs: one flat JSON object."""
        return self.folder / "outputs.json"

    @property
    def issuer(self) -> Path:
        """The issuer of the tokens that the stack accepts, with the private key."""
        return self.folder / "issuer.json"

    @property
    def emulator_log(self) -> Path:
        return self.folder / "emulator.log"

    @property
    def build_log(self) -> Path:
        return self.folder / "build.log"

    @property
    def deploy_log(self) -> Path:
        return self.folder / "deploy.log"

    @property
    def temporary(self) -> Path:
        """TMPDIR of the emulator: unpacked function code and the like."""
        return self.folder / "tmp"

    @property
    def state(self) -> Path:
        """The emulator's data while it is being restarted."""
        return self.temporary / "state"

    def command(self, subcommand: str, *options: str) -> str:
        """The command line for a subcommand on this instance, to be typed in the repository."""
        usual = self.folder == REPOSITORY / ".local"
        if usual and not options and subcommand in _MADE:
            return _MADE[subcommand]
        folder = self.folder.relative_to(REPOSITORY) if self.folder.is_relative_to(REPOSITORY) else self.folder
        return shlex.join(["python3", "infra/local", subcommand, *([] if usual else ["--dir", str(folder)]), *options])

    @property
    def lock(self) -> Path:
        """Held while the emulator starts, restarts or stops, or the stack is deployed."""
        return self.folder / "up.lock"

    @property
    def exec_lock(self) -> Path:
        """Held by `exec`, so that no other command uses its instance."""
        return self.folder / "exec.lock"


def short(path: Path) -> str:
    """The path, relative to the current folder if it is in it."""
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)
