"""A stick as an export sees it, and as it is: what was written to its cache, and what a FAT medium really holds.

``Stick`` is an ``Ops`` over a real folder, the cache. At every sync it notes what is durable from then on, by the rules
that vfat was measured to follow: bytes and name of a file with the sync of the *file*, never with that of its folder;
a removed name with the sync of its folder. At step ``pull_at`` it is pulled: from then on writing, closing and reading
back succeed all the same, from the cache, and only syncs fail. ``fail_at`` fails that one step instead, as a medium
with a bad block does, once or ever after.
"""

from __future__ import annotations

import errno
import os

from agent.spool.ops import Ops

_SYNC = "fsync"


class Stick(Ops):
    """Give it to an export as ``Media.ops``; ``medium`` is what the stick holds: path below the root -> bytes."""

    __slots__ = ("fail_at", "medium", "pull_at", "root", "steps", "sticky")

    def __init__(
        self,
        root: str,
        *,
        pull_at: int = 0,
        fail_at: int = 0,
        sticky: bool = False,
        medium: dict[str, bytes] | None = None,
    ) -> None:
        self.root = os.path.abspath(root)
        self.pull_at, self.fail_at, self.sticky = pull_at, fail_at, sticky
        self.steps = 0
        self.medium: dict[str, bytes] = dict(medium or {})

    @property
    def pulled(self) -> bool:
        return 0 < self.pull_at <= self.steps

    def step(self, call: str, path: str) -> None:
        self.steps += 1
        if self.fail_at and (self.steps == self.fail_at or (self.sticky and self.steps > self.fail_at)):
            raise OSError(errno.EIO, os.strerror(errno.EIO), path)
        if call != _SYNC:
            return
        if self.pulled:
            raise OSError(errno.EIO, os.strerror(errno.EIO), path)
        if os.path.isdir(path):
            self._sync_folder(path)
        else:
            with open(path, "rb") as file:
                self.medium[self._name(path)] = file.read()

    def plug_in(self) -> None:
        """The cache forgets what the stick does not hold."""
        for folder, _below, names in os.walk(self.root):
            for name in names:
                os.unlink(os.path.join(folder, name))
        for name, data in self.medium.items():
            path = os.path.join(self.root, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as file:
                file.write(data)

    def _sync_folder(self, path: str) -> None:
        """Names that are gone are gone for good."""
        here = self._name(path)
        for name in list(self.medium):
            if os.path.dirname(name) == here and not os.path.lexists(os.path.join(self.root, name)):
                del self.medium[name]

    def _name(self, path: str) -> str:
        name = os.path.relpath(path, self.root)
        return "" if name == "." else name
