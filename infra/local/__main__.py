"""`python3 infra/local …`: the local cloud of this repository. Start with `python3 infra/local --help`."""

import sys

if sys.version_info < (3, 10):
    sys.exit(
        "Python 3.10 or newer is needed for the local cloud: this is Python %d.%d (%s).\n"
        "Install a newer one (https://www.python.org/downloads/) and run: python3.12 infra/local …; with make: PYTHON=python3.12"
        % (sys.version_info[0], sys.version_info[1], sys.executable)
    )

# First, so that its message can be read.
from localcloud.cli import main  # noqa: E402
from localcloud.output import until_output_closes  # noqa: E402

sys.exit(until_output_closes(main, sys.argv[1:]))
