"""Reaching what a stranger's medium names, and nothing else: beneath its root, a plain file, through no link.

Every component is opened in the folder before it with ``O_NOFOLLOW``, so that no name, and no link that appears while
we look, leads out of the medium. Device nodes, pipes and sockets are refused before they can block or act.
"""

from __future__ import annotations

import os
import stat
from contextlib import contextmanager

from agent.errors import FileError
from agent.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_KINDS: Final = (
    (stat.S_ISLNK, "a symbolic link"),
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISBLK, "a device"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISSOCK, "a socket"),
)


@contextmanager
def folder(path: str) -> Iterator[int]:
    """A descriptor of the root itself; links on the way to it are the caller's own."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise FileError.of(path, error) from None
    try:
        yield fd
    finally:
        os.close(fd)


def open_beneath(root: int, relative: str, *, any_case: bool = False) -> int:
    """Open a plain file by its path below ``root``; raises ``FileError`` for everything else.

    ``any_case``: a component that is not there is looked for in lower case, as ISO 9660 media show theirs.
    """
    try:
        with parent_beneath(root, relative, any_case=any_case) as (at, name):
            return _plain(at, name, relative)
    except FileNotFoundError as error:
        raise FileError(f"{relative}: {error.strerror or error}", hint=_HINT) from None


def is_beneath(root: int, relative: str) -> bool:
    """Whether there is anything of that name below ``root``; raises ``FileError`` where a link is in the way."""
    try:
        with parent_beneath(root, relative) as (at, name):
            os.lstat(name, dir_fd=at)
    except FileNotFoundError:
        return False
    return True


@contextmanager
def parent_beneath(root: int, relative: str, *, any_case: bool = False) -> Iterator[tuple[int, str]]:
    """A descriptor of the folder that a path below ``root`` lies in, and its name there.

    Raises ``FileNotFoundError`` where there is no such folder and ``FileError`` where the way leads out of the medium,
    also for an ``OSError`` of what is done with both.
    """
    components = relative.split("/")
    if not relative or any(component in ("", ".", "..") or "\0" in component for component in components):
        raise FileError(f"{relative!r} leads out of the medium, or nowhere", hint=_HINT)
    at = root
    try:
        for number, component in enumerate(components[:-1]):
            components[number] = _as_it_is(at, component, any_case=any_case)
            down = os.open(components[number], _FOLDER, dir_fd=at)
            if at != root:
                os.close(at)
            at = down
        yield at, _as_it_is(at, components[-1], any_case=any_case)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise FileError(f"{relative}: {_why(at, components, error)}", hint=_HINT) from None
    finally:
        if at != root:
            os.close(at)


_HINT: Final = "Nothing is done there; look at the medium with a program of your own."


def _as_it_is(at: int, name: str, *, any_case: bool) -> str:
    if any_case and name != name.lower():
        try:
            os.lstat(name, dir_fd=at)
        except FileNotFoundError:
            return name.lower()
    return name


def _plain(at: int, name: str, relative: str) -> int:
    kind = kind_of(os.lstat(name, dir_fd=at).st_mode)
    if kind:
        raise FileError(f"{relative} is {kind}, not a file", hint=_HINT)
    fd = os.open(name, _FILE, dir_fd=at)
    kind = kind_of(os.fstat(fd).st_mode)  # it may have become something else
    if kind:
        os.close(fd)
        raise FileError(f"{relative} is {kind}, not a file", hint=_HINT)
    return fd


def kind_of(mode: int) -> str:
    """What something is that is no plain file; empty: it is one."""
    return next((word for test, word in _KINDS if test(mode)), "")


def _why(at: int, components: list[str], error: OSError) -> str:
    """A link in the way shows as an error that nobody understands."""
    for component in components:
        try:
            kind = kind_of(os.lstat(component, dir_fd=at).st_mode)
        except OSError:
            continue
        if kind not in ("", "a folder"):
            return f"{component} is {kind}"
    return error.strerror or str(error)
