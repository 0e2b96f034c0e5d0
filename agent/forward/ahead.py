"""The next file to send, opened and looked at while the peer still works on the one before.

A peer that has the last byte of an instance writes it to its disk before it answers. In that time we open the next
file and follow its headers to the end, so that it leaves as soon as the answer is there. What was found is used for
that very instance or for none. (To ask the kernel for its bytes as well costs more than it gains when they are cached.)
"""

from __future__ import annotations

import os

from agent.errors import AgentError, DecodeError, FileError
from agent.forward.files import require_whole
from agent.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from agent.forward.files import Instance


class Opened(NamedTuple):
    """A file that is open, or why it cannot be sent."""

    instance: Instance
    fd: int  # -1 where it is not open
    damage: AgentError | None

    def close(self) -> None:
        """Close it."""
        if self.fd >= 0:
            os.close(self.fd)


class Ahead:
    """Of one association; ``next`` is what ``look`` looks at, set by who knows what comes next."""

    __slots__ = ("_found", "next")

    def __init__(self) -> None:
        self.next: Instance | None = None
        self._found: Opened | None = None

    def look(self) -> None:
        """Open and judge ``next``; whatever is wrong with it is told when it is taken."""
        instance, self.next = self.next, None
        if instance is None:
            return
        self.close()
        self._found = opened(instance)

    def take(self, instance: Instance) -> Opened:
        """Return ``instance`` opened, now or before; who takes it closes it."""
        found, self._found = self._found, None
        if found is not None and found.instance == instance:
            return found
        if found is not None:
            found.close()
        return opened(instance)

    def close(self) -> None:
        """Forget what was looked at."""
        if self._found is not None:
            self._found.close()
            self._found = None


def opened(instance: Instance) -> Opened:
    """Open a file; one whose digest nobody has recorded must be whole and the instance that it says."""
    try:
        fd = os.open(instance.path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        return Opened(instance, -1, FileError(f"{instance.path}: {error.strerror or error}"))
    damage: AgentError | None = None
    if not instance.data_set_sha256 and instance.size > instance.data_set_offset:
        try:
            require_whole(instance, fd)
        except (DecodeError, FileError) as problem:
            damage = problem
    return Opened(instance, fd, damage)
