"""What a session hears that nobody asked for: a commit that waits to be confirmed, and what reverted.

It is looked at every few seconds with one ``stat``; only when something waits is the configuration's history opened.
What is due is then done here, too, and by a console where nobody is logged in: a commit that nobody confirmed must go
back also where the agent is dead or hangs.
"""

from __future__ import annotations

import os

from agent.errors import AgentError
from agent.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from agent.console.world import World

LOOK_S: Final = 5.0
# Said when so much is left, so that a page that is being read is not torn more often than needed.
SAID_S: Final = (60.0, 300.0)


class Watch:
    """Looks at one configuration."""

    __slots__ = ("_said", "_waits", "_world", "next")

    def __init__(self, world: World, now: float) -> None:
        self._world = world
        self._waits = False
        self._said = 0.0
        self.next = now + LOOK_S

    def look(self, now: float) -> list[str]:
        """Return what is to be said."""
        if now < self.next:
            return []
        self.next = now + LOOK_S
        there = os.path.exists(os.path.join(f"{self._world.config}.history", "pending"))
        if not there and not self._waits:
            return []
        self._waits = there
        try:
            return self._said_of(there)
        except (AgentError, OSError):
            return []

    def _said_of(self, there: bool) -> list[str]:  # noqa: FBT001  whether a commit waits
        stage = self._world.stage()
        lines = [f"Note: {note}." for note in stage.revert_if_due()]
        pending = stage.pending() if there else None
        if pending is None:
            self._waits, self._said = False, 0.0
            return lines
        left = next((one for one in SAID_S if pending.left_s <= one), 0.0)
        if left and left != self._said:
            self._said = left
            lines.append(f"Note: the commit of {pending.who} reverts in {pending.left_s:.0f} s; 'confirm' keeps it.")
        return lines
