"""Handles a standard output that is closed early, for example by `head`, or with an encoding that lacks characters."""

from __future__ import annotations

import codecs
import io
import os
import signal
import sys
from collections.abc import Callable


def until_output_closes(main: Callable[[list[str]], int], arguments: list[str]) -> int:
    """Run `main`. If the output is closed early, end silently, with the usual exit code for SIGPIPE."""
    _print_in_any_encoding()
    try:
        try:
            return main(arguments)
        finally:
            # None if the shell closed it.
            if sys.stdout is not None:
                sys.stdout.flush()
    except BrokenPipeError:
        discard_output()
        return 128 + signal.SIGPIPE


def discard_output() -> None:
    """Redirect standard output, which has failed, to the null device: Python writes the rest of its buffer at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _print_in_any_encoding() -> None:
    """Print question marks for characters that the user's encoding lacks, such as an ellipsis in Latin-1, instead of failing."""
    codecs.register_error(_SUBSTITUTES, _substitute)
    for stream in (sys.stdout, sys.stderr):
        # None where the shell closed it.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=_SUBSTITUTES)


_SUBSTITUTES = "twolane-substitutes"


def _substitute(error: UnicodeError) -> tuple[bytes, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    unknown = error.object[error.start : error.end]
    # Stand-ins for undecodable bytes of a file name (PEP 383) become those bytes.
    written = (bytes([ord(character) - 0xDC00]) if "\udc80" <= character <= "\udcff" else b"?" for character in unknown)
    return b"".join(written), error.end
