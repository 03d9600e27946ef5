"""Standard output: its reader may leave, as `head` does, and its encoding may lack characters."""

from __future__ import annotations

import codecs
import io
import os
import signal
import sys
from collections.abc import Callable


def until_output_closes(main: Callable[[list[str]], int], arguments: list[str]) -> int:
    """Run it; when its reader is gone, end without a word and with the exit code of other programs then."""
    _print_in_any_encoding()
    try:
        try:
            return main(arguments)
        finally:
            # None where the shell closed it.
            if sys.stdout is not None:
                sys.stdout.flush()
    except BrokenPipeError:
        discard_output()
        return 128 + signal.SIGPIPE


def discard_output() -> None:
    """Let standard output, which failed, take everything: Python writes what is left once more when it ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _print_in_any_encoding() -> None:
    """Print question marks for characters that the user's locale lacks, such as an ellipsis in Latin-1, instead of failing."""
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
    # In the name of a file, what Python could not decode stands for a byte: PEP 383.
    written = (bytes([ord(character) - 0xDC00]) if "\udc80" <= character <= "\udcff" else b"?" for character in unknown)
    return b"".join(written), error.end
