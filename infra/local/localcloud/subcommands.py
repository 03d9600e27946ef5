"""Subcommands with a summary and examples in their help."""

from __future__ import annotations

import argparse


def add_subcommand(
    subcommands: argparse._SubParsersAction, program: str, name: str, summary: str, examples: list[str]
) -> argparse.ArgumentParser:
    """Add a subcommand with a summary and examples. Examples without `program` get it as prefix."""
    lines = (example if program in example else f"{program} {example}" for example in examples)
    shown = "\n".join(f"  {line}" for line in lines)
    return subcommands.add_parser(
        name,
        help=summary,
        description=summary[0].upper() + summary[1:] + ".",
        epilog=f"examples:\n{shown}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
