"""Files named on the command line: what a folder stands for, and errors that say which file they are about.

A folder is every file in and below it, in the order of their names, but not its DICOMDIR, which is no image. A pattern
that no shell has expanded (``*``, ``?``, ``[...]``, ``**`` for folders below) is every file and folder that matches it;
a file that is called like that is meant itself.
"""

from __future__ import annotations

import os
from itertools import chain

from agent.errors import AgentError, FileError
from agent.typed import TYPE_CHECKING, Final, NamedTuple, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_MAGIC: Final = frozenset("*?[")
_Error = TypeVar("_Error", bound=AgentError)


class Input(NamedTuple):
    """One file, and how it is called from the folder that was named; its own name where it was named itself."""

    path: str
    relative: str


def files_in(paths: Iterable[str], *, leave_out: str = "") -> Iterator[Input]:
    """Every file that ``paths`` stand for; nothing from the folder ``leave_out``."""
    left_out = os.path.abspath(leave_out) if leave_out else None
    for path in chain.from_iterable(map(_expanded, paths)):
        if not os.path.isdir(path):
            yield Input(path, os.path.basename(path))
            continue
        for folder, below, names in os.walk(path):
            below[:] = sorted(name for name in below if os.path.abspath(os.path.join(folder, name)) != left_out)
            for name in sorted(names):
                if name != "DICOMDIR":
                    found = os.path.join(folder, name)
                    yield Input(found, found[len(path) :].lstrip("/"))


def _expanded(path: str) -> Sequence[str]:
    if not _MAGIC.intersection(path) or os.path.lexists(path):
        return (path,)
    from glob import glob  # few are given patterns

    found = sorted(glob(path, recursive=True))
    if not found:
        raise FileError(f"{path}: no file matches this pattern", hint="'**/*.dcm' looks into folders below, too.")
    return found


def named(error: _Error, path: str, *others: str) -> _Error:
    """The same error with the path in front, unless it names it, or another of the paths, itself."""
    if not error.message.startswith((path, *others)):
        error.message = f"{path}: {error.message}"
    return error
