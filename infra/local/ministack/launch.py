"""Start MiniStack with its gaps closed: apply every module in `gaps`, then run MiniStack's `main`.

No file of MiniStack is edited. Its settings apply: GATEWAY_PORT, BIND_HOST, AWS_ENDPOINT_URL and so on.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import pkgutil
import sys
from pathlib import Path

import gaps

# Shared by the gaps of both emulators.
sys.path.append(str(Path(__file__).resolve().parent.parent / "api_gateway"))

# The gaps replace functions of exactly this version.
MINISTACK = "1.5.33"


def main() -> None:
    """Close every gap, then serve."""
    found = importlib.metadata.version("ministack")
    if found != MINISTACK:
        sys.exit(
            f"MiniStack {found} is installed, but the gaps are closed for {MINISTACK}.\n"
            "Read infra/local/README.md, \"A new MiniStack version\"."
        )
    for name in gap_names():
        importlib.import_module(f"gaps.{name}").apply()
    from ministack.app import main as serve

    sys.argv = ["ministack"]
    serve()


def gap_names() -> list[str]:
    """The modules in `gaps`, in the order in which they are applied."""
    return sorted(module.name for module in pkgutil.iter_modules(gaps.__path__))


if __name__ == "__main__":
    main()
