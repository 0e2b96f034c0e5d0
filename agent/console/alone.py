"""One console at a time changes what all of them keep: users, and counts of failures."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time

from agent.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

# Another one writes a small file. Who does not let go of it hangs with the medium, and must not hang us.
PATIENCE_S: Final = 2.0
_PAUSE_S: Final = 0.01


@contextlib.contextmanager
def alone(folder: str) -> Iterator[None]:
    """Have ``folder`` for oneself, as far as there is one yet; after ``PATIENCE_S`` without."""
    try:
        fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        yield
        return
    try:
        _locked(fd)
        yield
    finally:
        os.close(fd)


def _locked(fd: int) -> None:
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            time.sleep(_PAUSE_S)
        else:
            return
