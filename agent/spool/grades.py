"""What a reading of the wall clock is worth, as ``graded`` writes it into the ledger and others beside it.

::

never set      earlier than this code: a box without a battery that nobody has told the time
went back      earlier than what was recorded before, and so wrong now or wrong then
set            possible, and nobody says that it is right
synchronised   somebody keeps it right

Who keeps it is asked elsewhere (``agent.link.timekeeping``), because an answer may have to be waited for; until there
is one, the file counts by which systemd-timesyncd says that it follows a server.
"""

from __future__ import annotations

import os

from agent.typed import Final

# This code did not exist before; a clock that shows less was never set. 2025-01-01T00:00:00Z
EARLIEST_WALL_S: Final = 1_735_689_600
BACK_S: Final = 1.0
SYNCHRONISED: Final = "/run/systemd/timesync/synchronized"

NEVER, BACK, SET, SYNCED = "never set", "went back", "set", "synchronised"


def grade(now: float, latest: float, synchronised: str = SYNCHRONISED, *, kept: bool | None = None) -> str:
    """Grade wall time ``now``; ``latest`` is the last one that was recorded, ``kept`` what is known of its keeper."""
    if now < EARLIEST_WALL_S:
        return NEVER
    if now < latest - BACK_S:
        return BACK
    return SYNCED if (os.path.exists(synchronised) if kept is None else kept) else SET
