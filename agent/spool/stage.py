"""Where a set lies in clear until it is encrypted: on the medium of the spool, which has the same in clear anyway.

Never on what is carried away. Each stage is a folder that nobody else may read, locked as long as somebody works in it;
one without its lock is what a process died with, and goes at the next start and with the next stage.
"""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager, nullcontext, suppress

from agent.spool.durable import FOLDER_MODE
from agent.spool.faults import media_error
from agent.spool.names import STAGES
from agent.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_TRIES: Final = 8  # each one lost wants another stage to end between two calls of ours


@contextmanager
def staged(root: str) -> Iterator[str]:
    """An empty folder in the spool ``root``, removed with all that is in it. Raises ``SpoolError``."""
    above = f"{root}/{STAGES}"
    folder = f"{above}/{os.urandom(8).hex()}"
    sweep(root)
    try:
        held = _made(above, folder)
    except OSError as error:
        raise media_error(error, "mkdir", folder) from error
    try:
        yield folder
    finally:
        _remove(folder)
        os.close(held)
        with suppress(OSError):  # another one is at work
            os.rmdir(above)


def sweep(root: str) -> None:
    """Remove what processes that died have left; what cannot be removed now is left to the next."""
    above = f"{root}/{STAGES}"
    if not os.path.lexists(above):
        return
    with suppress(OSError), _locked(above):
        for entry in os.scandir(above):
            with suppress(OSError), _locked(entry.path, fcntl.LOCK_NB):
                _remove(entry.path)
        os.rmdir(above)


def _made(above: str, folder: str) -> int:
    """A descriptor of the new ``folder``, locked."""
    for tries_left in reversed(range(_TRIES)):
        with suppress(FileNotFoundError) if tries_left else nullcontext():  # whoever was the last removed it meanwhile
            os.makedirs(above, FOLDER_MODE, exist_ok=True)
            with _locked(above):
                os.mkdir(folder, FOLDER_MODE)
                held = os.open(folder, _FOLDER)
                fcntl.flock(held, fcntl.LOCK_EX)
                return held
    raise AssertionError  # the last try returns or raises


def _remove(folder: str) -> None:
    import shutil  # not at every start

    shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _locked(folder: str, how: int = 0) -> Iterator[None]:
    held = os.open(folder, _FOLDER)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | how)
        yield
    finally:
        os.close(held)
