"""Standard output and standard error that cannot break the work.

Closed before the program starts (``>&-``), full (``/dev/full``) or left by their reader (``| head``): a verb that
writes a result goes on with its work, and ``cli.main`` says afterwards that the result could not be written. An
exception in the middle of a verb would end a print and leave threads behind it running. A character that the encoding
of the terminal lacks is shown as its escape.
"""

from __future__ import annotations

import os
import sys
from io import TextIOWrapper

from agent.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from agent.typed import TextIO

_LAST_STANDARD_FD = 2


class Output:
    """Takes the place of ``sys.stdout`` or ``sys.stderr``; ``failure`` is why something written to it is lost."""

    __slots__ = ("_stream", "failure")

    def __init__(self, stream: TextIO | None) -> None:
        self._stream = stream
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
        self.failure: OSError | None = None

    def __getattr__(self, name: str) -> object:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write, unless writing has failed before."""
        if self.failure is None:
            try:
                if self._stream is None:
                    raise OSError("it is closed")
                self._stream.write(text)
            except OSError as error:
                self._lose(error)
        return len(text)

    def flush(self) -> None:
        """Write out what is buffered."""
        if self.failure is None and self._stream is not None:
            try:
                self._stream.flush()
            except OSError as error:
                self._lose(error)

    def isatty(self) -> bool:
        """Whether it is a terminal."""
        return self._stream is not None and self._stream.isatty()

    def fileno(self) -> int:
        """Return the descriptor; ``OSError`` when there is none."""
        if self._stream is None:
            raise OSError("it is closed")
        return self._stream.fileno()

    @property
    def reader_gone(self) -> bool:
        """Whether it was a pipe whose reader had enough."""
        return isinstance(self.failure, BrokenPipeError)

    def _lose(self, error: OSError) -> None:
        """Give the interpreter's own flush at the end nothing to fail on."""
        self.failure = error
        if self._stream is not None:
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, self._stream.fileno())
            os.close(null)


def reserve() -> None:
    """Give descriptors 0 to 2 to nobody when they are closed: a socket in their place would get what is printed."""
    if sys.stdin is None or sys.stdout is None or sys.stderr is None:
        while (fd := os.open(os.devnull, os.O_RDWR)) <= _LAST_STANDARD_FD:
            pass
        os.close(fd)
