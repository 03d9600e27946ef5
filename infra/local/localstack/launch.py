"""Start LocalStack's open-source core with its gaps closed: apply every module in `gaps`, then run LocalStack.

No file of LocalStack is edited. Its settings apply: GATEWAY_LISTEN, FILESYSTEM_ROOT and so on. LocalStack finds the plugin that
runs functions, `process_executor`, because this folder is on the path.
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

# The gaps replace functions of exactly this version, and the plugin has its interface.
LOCALSTACK = "2026.3.0"


def main() -> None:
    """Close every gap, then serve."""
    found = importlib.metadata.version("localstack-core")
    if found != LOCALSTACK:
        sys.exit(
            f"LocalStack {found} is installed, but the gaps are closed for {LOCALSTACK}.\n"
            "Read infra/local/README.md, \"A new LocalStack version\"."
        )
    for name in sorted(module.name for module in pkgutil.iter_modules(gaps.__path__)):
        importlib.import_module(f"gaps.{name}").apply()
    from localstack.runtime.main import main as serve

    serve()


if __name__ == "__main__":
    main()
