"""Letting go of a medium that is gone or dead, and waiting for it: the agent begins anew in the same process.

A file system that lost its device is not well again before everything on it is closed: as long as this process holds
its lock, its ledger and a clip, nobody can unmount it, and a card that was put in again may be given the same dead one.
So the agent replaces itself (execve(2)), opens what it finds, and waits for as long as that is no spool it can use.
Recovery is that of every start. Under systemd it stays the same unit: it does not say that it stops.
"""

from __future__ import annotations

import os
import signal
import sys

from agent.app import notify
from agent.app.daemon import ANEW
from agent.errors import MediaError, SpoolFull
from agent.spool.names import LEDGER
from agent.typed import TYPE_CHECKING, Final, NoReturn

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.app.journal import Journal
    from agent.app.runtime import Runtime

LOOK_S: Final = 5.0  # how often a medium that is not there is looked for


def begin() -> NoReturn:
    """Replace this process by one that waits for its medium."""
    os.environ[ANEW] = "1"
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606 - ourselves, as we were called


def patiently(make: Callable[[], Runtime], root: str, journal: Journal) -> Runtime | None:
    """Make the agent; who begins anew waits for the spool at ``root``. None when it is told to stop meanwhile."""
    waits = os.environ.pop(ANEW, "") != ""
    while True:
        try:
            if waits and not os.path.exists(f"{root}/{LEDGER}"):  # an empty mount point must not become a spool
                raise MediaError(f"there is no spool at {root}; a new medium gets one when the agent is started again")
            return make()
        except (MediaError, SpoolFull) as error:
            if not waits:
                raise
            journal.say("error", "alarm", f"the agent waits for the medium of its spool: {error}")
            notify.notify("READY=1\nSTATUS=waiting for the medium of the spool")
        told = signal.sigtimedwait((signal.SIGTERM, signal.SIGINT), LOOK_S)
        if told is not None:
            return None
