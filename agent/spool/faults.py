"""What an ``OSError`` of the medium is called in the agent's words: full, failing, or one file that cannot be read."""

from __future__ import annotations

import errno
import os

from agent.errors import FileUnreadable, MediaError, SpoolError, SpoolFull

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
# Reading failed, but not because of what is read: no room in the process, or the name is gone.
_NOT_THE_FILE = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOENT, errno.ENOTDIR})
# What a file system has not is no fault of the medium.
NO_ALLOCATE = frozenset({errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL})
NO_LINKS = frozenset({errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK})
# Some network and FUSE file systems cannot sync a folder and say so with EINVAL; they are no place for a spool, but a
# folder that cannot be synced at all is their property, not a lost write. EIO is never tolerated.
NO_FOLDER_SYNC = frozenset({errno.EINVAL})


def media_error(error: OSError, call: str, path: str) -> SpoolError:
    """Translate an ``OSError`` of a named call on a named path into the agent's words."""
    text = f"{call} {path}: {os.strerror(error.errno) if error.errno else error}"
    if error.errno in _FULL:
        return SpoolFull(text)
    if error.errno in {errno.EMFILE, errno.ENFILE}:
        return MediaError(text, hint="Too many open files; raise LimitNOFILE of the service.")
    return MediaError(text)


def read_error(error: OSError, path: str) -> SpoolError:
    """Translate an ``OSError`` of reading one file: ``FileUnreadable`` when it speaks of that file alone."""
    if error.errno in _NOT_THE_FILE:
        return media_error(error, "read", path)
    return FileUnreadable(f"read {path}: {os.strerror(error.errno) if error.errno else error}")


def present(path: str) -> bool:
    """Whether there is something of that name; raises ``FileUnreadable`` where "no" would be a guess."""
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise read_error(error, path) from error
    return True
