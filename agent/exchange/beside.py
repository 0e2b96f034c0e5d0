"""What a disc image or a ZIP is made of, beside it, until it is there.

A process that was killed leaves it: gigabytes, and instances in clear. So each is locked as long as somebody works on
it, and what has no lock goes with the next export to that folder, which says so. Names are ours alone: a folder that
``tempfile`` has named, and that of the file with ours behind it.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import tempfile
from contextlib import contextmanager, suppress

from agent.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_PREFIX, _SUFFIX = "modality-agent-", ".set"  # nobody else's: "media-20261129.set" may be anything
_OURS: Final = re.compile(r"modality-agent-[a-z0-9_]{8}\.set(\.SEC)?|.+\.modality-agent-[0-9a-f]{8}\.part")
_ANY: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def part_of(whole: str) -> str:
    """The name of a file until it is whole."""
    return f"{whole}.{_PREFIX}{os.urandom(4).hex()}.part"


@contextmanager
def folder_in(above: str | None) -> Iterator[str]:
    """A folder that nobody else may read, removed with all that is in it; None: where temporary files go."""
    folder = tempfile.mkdtemp(prefix=_PREFIX, suffix=_SUFFIX, dir=above)
    try:
        with at_work(folder):
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        shutil.rmtree(f"{folder}.SEC", ignore_errors=True)


@contextmanager
def at_work(path: str) -> Iterator[None]:
    """Let nobody sweep it; where it cannot be locked (NFS wants it open for writing), nobody who sweeps can either."""
    held = os.open(path, _ANY)
    try:
        with suppress(OSError):
            fcntl.flock(held, fcntl.LOCK_EX)
        yield
    finally:
        os.close(held)


def sweep(above: str) -> list[str]:
    """Remove what processes that died have left in a folder; gives the names. What cannot be removed stays."""
    with suppress(OSError), os.scandir(above) as entries:
        return sorted(entry.name for entry in entries if _OURS.fullmatch(entry.name) and _removed(entry))
    return []


def _removed(entry: os.DirEntry[str]) -> bool:
    try:
        held = os.open(entry.path, _ANY)
    except OSError:
        return False
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if entry.is_dir(follow_symlinks=False):
            shutil.rmtree(entry.path)
        elif entry.is_file(follow_symlinks=False):
            os.unlink(entry.path)
        return not os.path.lexists(entry.path)
    except OSError:
        return False
    finally:
        os.close(held)
