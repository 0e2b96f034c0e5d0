"""A file that did not read well while it was to be sent: the spool looks at it itself and sets it aside."""

from __future__ import annotations

from agent.errors import FileUnreadable
from agent.spool.states import Life
from agent.typed import TYPE_CHECKING

if TYPE_CHECKING:
    from agent.spool.core import Item
    from agent.spool.store import Spool


def looked_at(spool: Spool, item: Item) -> bool:
    """Let the spool look; False when the file stays, also if it cannot be read.

    Raises ``MediaError`` where that is not about this file, as where the medium is away.
    """
    try:
        return spool.examine(item) is not Life.LIVE
    except FileUnreadable:
        return False
