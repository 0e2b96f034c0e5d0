"""The seam of everything that changes the medium: tests die or raise in it at the Nth step."""

from __future__ import annotations


class Ops:
    """``step`` is called before each change of the medium."""

    __slots__ = ()

    def step(self, call: str, path: str) -> None:
        """Let the change ``call`` on ``path`` happen."""
