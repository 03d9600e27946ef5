"""`python3 infra/aws …`: this repository's stack on AWS. Start with `python3 infra/aws --help`."""

import sys

if sys.version_info < (3, 10):
    sys.exit(
        "Python 3.10 or newer is needed to deploy: this is Python %d.%d (%s).\n"
        "Install a newer one (https://www.python.org/downloads/) and run: python3.12 infra/aws …; with make: PYTHON=python3.12"
        % (sys.version_info[0], sys.version_info[1], sys.executable)
    )

# First, so that its message can be read.
from pathlib import Path  # noqa: E402

# Tools, progress and failures are the local cloud's.
sys.path.insert(1, str(Path(__file__).resolve().parent.parent / "local"))

from awscloud.cli import main  # noqa: E402
from localcloud.output import until_output_closes  # noqa: E402

sys.exit(until_output_closes(main, sys.argv[1:]))
