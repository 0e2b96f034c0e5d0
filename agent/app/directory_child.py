"""The process that brings the DICOMDIR of a spool up to date for ``agent.app.directory``.

It prints one line, ``done PAUSE LEFT`` or ``failed WHY``, and a line for each instance that there is something to say
of: PAUSE are the seconds until the medium should be written again, LEFT the instances that it had no time for.
"""

from __future__ import annotations

import os
import sys

from agent.acquire.identity import new_uid
from agent.errors import SpoolError
from agent.media.file_id import label_of
from agent.spool.durable import Medium
from agent.spool.file_set import Pace, refresh, rest_s
from agent.spool.view import SpoolView
from agent.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from agent.spool.receipt import Reader

MAX_NOTES: Final = 20  # of one run: a pipe holds them, and nobody reads more
MAX_CHARACTERS: Final = 500
_LOWEST_PRIORITY: Final = 19
_REST: Final = 1.0  # as long as it worked: it never has more than half of a core


def bring_up_to_date(medium: Medium, reader: Reader, ae_title: str, *, within_s: float | None = None) -> list[str]:
    """Do it, here; returns the lines that tell it.

    Raises:
        SpoolError: The directory is as it was.
    """
    pace = Pace(within_s, _REST if within_s is None else 0.0)
    done = refresh(medium, reader.live_numbers, label_of(ae_title), new_uid, pace)
    more = [f"and {len(done.notes) - MAX_NOTES} more of that kind"] if len(done.notes) > MAX_NOTES else []
    told = [" ".join(note[:MAX_CHARACTERS].split()) for note in done.notes[:MAX_NOTES]]
    return [f"done {rest_s(done.written):.0f} {done.left}", *told, *more]


def main(root: str, ae_title: str) -> None:
    """Do it for a spool whose agent runs."""
    os.nice(_LOWEST_PRIORITY)
    try:
        with SpoolView.open(root) as view:
            said = bring_up_to_date(Medium(root), view, ae_title)
    except SpoolError as error:
        said = [f"failed {error} [{error.code}]; {error.hint}"]
    sys.stdout.write("\n".join(said))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
