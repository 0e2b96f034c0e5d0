"""A drop folder on its file system: what lies in it, and how a file leaves it.

    name             what a vendor has put here, or is still writing
    .taking/name     ours while it is looked at once more
    done/name        is in the spool
    rejected/name    never became whole, or is nothing that can be taken; name.reason.txt says why

A name is no file: whoever writes ``latest.png`` over and over has put another one there since we read it. So nothing is
removed by its name. A file is first renamed into ``.taking``, where nobody else works, and is let go only if it is the
one that was read; another one gets its name back, or one beside it. What a crash leaves in ``.taking`` goes back to the
folder and is recognised there by its content, so no rename need be durable: the original is there or the instance is.
What is rejected is no instance, and its new name is durable before the old one goes.

Folders and links in place of our own folders are refused. Raises ``DeviceError``, also when the folder is gone or
another one has been mounted there: whoever holds a ``Place`` makes a new one.
"""

from __future__ import annotations

import os
import stat
from contextlib import contextmanager, suppress
from fnmatch import fnmatchcase
from itertools import islice

from agent.acquire.folder_file import Stamp, kind_of, stamp_of
from agent.errors import DeviceError, SpoolError
from agent.spool.durable import Medium
from agent.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

TAKING, DONE, REJECTED = ".taking", "done", "rejected"
OWN: Final = (TAKING, DONE, REJECTED)
REASON: Final = ".reason.txt"
# Looked at in one go; a folder with more is worked off in turns, and memory stays some MiB.
MAX_FILES: Final = 10_000
_NAME_BYTES: Final = 220  # of a name, so that what is put behind it fits into the 255 of a file system
_TRIES: Final = 1000
_HINT: Final = "Check that the folder is there, mounted, and may be read and written by the user of the agent."


class Place:
    """A folder that is open; a context manager."""

    __slots__ = ("_fd", "_medium", "_patterns", "crowded", "path", "stuck")

    def __init__(self, path: str, patterns: tuple[str, ...]) -> None:
        self.path = path
        self._patterns = patterns
        self._medium = Medium(path)
        self.crowded = False  # there is more than is looked at in one go
        self.stuck = ""  # why something lies in ``.taking`` still
        try:
            self._fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as error:
            raise _failed(path, error) from None

    def __enter__(self) -> Place:
        return self

    def __exit__(self, *_exc: object) -> None:
        os.close(self._fd)

    @property
    def fd(self) -> int:
        """The open folder."""
        return self._fd

    def assure(self) -> None:
        """Raise ``DeviceError`` unless the path leads to the folder that is open."""
        try:
            there = os.stat(self.path)
        except OSError as error:
            raise _failed(self.path, error) from None
        if not os.path.samestat(there, os.fstat(self._fd)):
            raise DeviceError(f"{self.path}: another folder is there now, it is opened anew", hint=_HINT)

    @property
    def is_whole(self) -> bool:
        """Whether the last ``scan`` found all that belongs into the folder."""
        return not (self.crowded or self.stuck)

    def scan(self) -> dict[str, os.stat_result]:
        """What lies in the folder and has a name that is asked for, no link followed; ``MAX_FILES`` at most."""
        self.assure()
        if self.stuck:
            with suppress(DeviceError):
                self.give_back()
        found: dict[str, os.stat_result] = {}
        self.crowded = False
        try:
            with os.scandir(self._fd) as entries:
                for entry in entries:
                    if not self.takes(entry.name):
                        continue
                    if len(found) >= MAX_FILES:
                        self.crowded = True
                        break
                    with suppress(FileNotFoundError):
                        found[entry.name] = entry.stat(follow_symlinks=False)
        except OSError as error:
            raise _failed(self.path, error) from None
        return found

    def takes(self, name: str) -> bool:
        """Whether a name is asked for; hidden ones are those of programs that rename what is done."""
        if name.startswith(".") or name in OWN:
            return False
        return any(fnmatchcase(name, pattern) for pattern in self._patterns)

    @contextmanager
    def opened(self, name: str) -> Iterator[int]:
        """Open a plain file for reading, through no link; a pipe or device is not touched."""
        fd = -1
        try:
            what = kind_of(os.lstat(name, dir_fd=self._fd).st_mode)
            if not what:
                flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
                fd = os.open(name, flags, dir_fd=self._fd)
                what = kind_of(os.fstat(fd).st_mode)
            if what:
                raise DeviceError(f"is {what}, not a plain file", hint=_HINT)
            yield fd
        finally:
            if fd >= 0:
                os.close(fd)

    def has(self, name: str) -> os.stat_result | None:
        """The status of a plain file in the folder; None where there is none."""
        try:
            found = os.lstat(name, dir_fd=self._fd)
        except OSError:
            return None
        return found if stat.S_ISREG(found.st_mode) else None

    # --- how a file leaves -------------------------------------------------------------------------

    def prepare(self) -> None:
        """Make our own folders, and give back what a crash has left between two of them."""
        for name in OWN:
            self._folder(name)
        self.give_back()

    def give_back(self) -> None:
        """Let everything in ``.taking`` go back to the folder."""
        if os.path.lexists(self._in(TAKING)):
            self._folder(TAKING)
            with self._told(), os.scandir(self._in(TAKING)) as entries:
                names = sorted(entry.name for entry in islice(entries, MAX_FILES))
            for name in names:
                self._back(name)
        self.stuck = ""

    def take_away(self, name: str, stamp: Stamp, *, keep: bool) -> bool:
        """Move a file to ``done``, or remove it; False where another one has its name by now, which stays."""
        if not self._claim(name, stamp):
            return False
        with self._told(), self._else_back(name):
            if keep:
                self._medium.name(self._in(TAKING, name), self._free(DONE, name))
            else:
                self._medium.remove(self._in(TAKING, name), sync=False)
        return True

    def reject(self, name: str, stamp: Stamp, reason: str) -> str:
        """Move a file aside, with the reason beside it; returns where it is, empty where another one has its name."""
        if not self._claim(name, stamp):
            return ""
        with self._told(), self._else_back(name):
            target = self._free(REJECTED, name)
            try:
                self._write(f"{target}{REASON}", f"{reason}\n")
                self._medium.set_aside(self._in(TAKING, name), target)
            except (SpoolError, OSError):
                with suppress(SpoolError, OSError):
                    self._medium.remove(f"{target}{REASON}", sync=False)  # the next try has it again
                raise
        return target

    def _write(self, path: str, text: str) -> None:
        file = self._medium.create(path)
        try:
            file.write_at(0, text.encode(errors="backslashreplace"))
            file.finish()
        finally:
            file.close()

    def _claim(self, name: str, stamp: Stamp) -> bool:
        self._folder(TAKING)
        try:
            if stamp_of(os.lstat(name, dir_fd=self._fd)) != stamp:
                return False
            with self._told():
                self._medium.name(self._in(name), self._in(TAKING, name))
            if stamp_of(os.lstat(self._in(TAKING, name))) == stamp:
                return True
        except FileNotFoundError:
            return False
        except OSError as error:
            raise _failed(self._in(name), error) from None
        self._back(name)
        return False

    def _back(self, name: str) -> None:
        """Let a file go from ``.taking`` to the folder, never over another one; ``stuck`` where it cannot."""
        try:
            with self._told():
                self._medium.set_aside(self._in(TAKING, name), self._free("", name))
        except DeviceError as error:
            self.stuck = f"{self._in(TAKING, name)} cannot go back: {error}"
            raise

    @contextmanager
    def _else_back(self, name: str) -> Iterator[None]:
        """What was claimed, and then cannot leave, lies in the folder again: it is seen there, and tried again."""
        try:
            yield
        except (DeviceError, SpoolError, OSError):
            with suppress(DeviceError):
                self._back(name)
            raise

    def _folder(self, name: str) -> None:
        path = self._in(name)
        with self._told():
            if not os.path.lexists(path):
                self._medium.make_folder(path, stat.S_IMODE(os.fstat(self._fd).st_mode) & 0o777)
            found = os.lstat(path)
        if not stat.S_ISDIR(found.st_mode) or found.st_dev != os.fstat(self._fd).st_dev:
            raise DeviceError(f"{path}: is {kind_of(found.st_mode) or 'a file'} where a folder of ours belongs, or "
                              "another file system", hint="Remove it; the agent makes its own.")  # fmt: skip

    def _free(self, folder: str, name: str) -> str:
        """A path in a folder that nothing has, as near to the name as can be."""
        stem, suffix = os.path.splitext(os.fsdecode(os.fsencode(name)[:_NAME_BYTES]) if _long(name) else name)
        if folder:
            self._folder(folder)
        for number in range(_TRIES):
            path = self._in(folder, f"{stem}-{number}{suffix}" if number else stem + suffix)
            if not os.path.lexists(path) and not os.path.lexists(path + REASON):
                return path
        raise DeviceError(f"{self._in(folder)}: holds {_TRIES} files of this name", hint="Empty this folder.")

    def _in(self, *names: str) -> str:
        return "/".join((self.path, *(name for name in names if name)))

    @contextmanager
    def _told(self) -> Iterator[None]:
        """What fails here is the source, not the medium of the spool."""
        try:
            yield
        except SpoolError as error:
            raise DeviceError(f"drop folder: {error}", hint=_HINT) from None
        except OSError as error:
            raise _failed(self.path, error) from None


def _long(name: str) -> bool:
    return len(os.fsencode(name)) > _NAME_BYTES


def _failed(path: str, error: OSError) -> DeviceError:
    return DeviceError(f"{path}: {error.strerror or error}", hint=_HINT)
