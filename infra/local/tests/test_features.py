"""All functions use the same features of shared crates, so that Cargo compiles each crate once."""

from __future__ import annotations

import subprocess
import unittest

from localcloud.environment import build_target
from localcloud.layout import REPOSITORY

_FUNCTIONS = sorted(path.parent.name for path in (REPOSITORY / "functions").glob("*/Cargo.toml"))


def features_of(function: str) -> dict[str, set[str]]:
    """The crates that a function is built from, each with the features it is compiled with. There is more than one set if build
    scripts and macros need others."""
    (target,) = build_target().values()
    tree = ["cargo", "tree", "--locked", "--package", function, "--target", target, "--edges", "normal,build", "--prefix", "none"]
    listed = subprocess.run([*tree, "--format", "{p}|{f}"], cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout
    found: dict[str, set[str]] = {}
    for line in listed.splitlines():
        crate, _, features = line.removesuffix(" (*)").partition("|")
        found.setdefault(crate, set()).add(features)
    return found


class Features(unittest.TestCase):
    def test_all_functions_share_one_compiled_sdk(self) -> None:
        known: dict[str, tuple[str, set[str]]] = {}
        for function in _FUNCTIONS:
            for crate, features in features_of(function).items():
                other, same = known.setdefault(crate, (function, features))
                self.assertEqual(
                    same, features,
                    f"{crate}: {other} (left) and {function} (right) ask for other features, and compile it and all that uses it twice; "
                    "add the features to crates/lambda-support/Cargo.toml",
                )  # fmt: skip
