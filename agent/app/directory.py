"""The DICOMDIR of the spool, kept true by a process of its own while the agent runs.

What it takes (tables, readers, an encoder, a second for 100,000 instances) is not for the daemon: a Python of its own
does it at the lowest priority, resting as long as it works, and takes its memory with it. The keeper looks every
``keeper.LOOK_S`` whether instances came or went and starts it, at most one at a time and never sooner than the medium
should be written again (``file_set.rest_s``). At a clean stop the agent does the rest of the work itself, within
``LAST_S``, so that a card that is pulled then is true to the last image.
"""

from __future__ import annotations

import os
import signal
import sys
import time

from agent.errors import SpoolError
from agent.spool.names import DIRECTORY
from agent.spool.states import Life
from agent.typed import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from agent.app.journal import Journal
    from agent.spool.store import Spool

# At the stop: for what is under way, and for what is still to do. systemd and people wait this long without a word.
LAST_S: Final = 3.0
TRY_AGAIN_S: Final = 60.0
TRY_AGAIN_CAP_S: Final = 3600.0
NOTHING: Final = (0, 0)  # a spool that never had an instance needs no directory
_CHILD: Final = ("-P", "-m", "agent.app.directory_child")


class Directory:
    """Who sees to the DICOMDIR; only the keeper's thread calls ``look``, and ``close`` comes after it."""

    __slots__ = ("_failures", "_journal", "_label", "_next_at", "_pid", "_pipe", "_reason", "_seen",
        "_spool", "_state")  # fmt: skip

    def __init__(self, spool: Spool, journal: Journal, ae_title: str) -> None:
        self._spool = spool
        self._journal = journal
        self._label = ae_title  # that the File-set is called by
        self._pid = self._pipe = 0
        self._failures = 0
        self._reason = ""  # of the last failure, while it lasts
        self._next_at = 0.0
        self._state: tuple[int, ...] = ()  # of the ledger when the last process was started
        there = os.path.lexists(f"{spool.root}/{DIRECTORY}")
        self._seen: tuple[int, ...] = () if there else NOTHING  # what the directory shows

    def look(self) -> None:
        """Start a process if there is something to do; hear one that has ended."""
        if self._pid and not self._hear():
            return
        if time.monotonic() < self._next_at:
            return
        state = self._now()
        if state != self._seen:
            self._state = state
            self._start()

    @property
    def facts(self) -> dict[str, Any]:
        """What ``status`` tells: failures in a row, and the reason of the last."""
        return {"failures": self._failures, "reason": self._reason}

    def close(self) -> None:
        """At the stop: end what is under way, and bring the directory up to date within ``LAST_S``."""
        if not self._ended(LAST_S):
            os.kill(self._pid, signal.SIGTERM)
            self._ended(LAST_S)  # on a medium that does not answer it may outlive us
            return
        try:
            if self._now() != self._seen:
                from agent.app.directory_child import bring_up_to_date

                self._tell(bring_up_to_date(self._spool.medium, self._spool.reader, self._label, within_s=LAST_S / 2))
        except SpoolError as error:
            self._journal.say("warning", "keeper", f"the DICOMDIR is not up to date: {error}")

    def _ended(self, within_s: float) -> bool:
        """Whether the process ends in time, if there is one."""
        until = time.monotonic() + within_s
        while self._pid and not self._hear():
            if time.monotonic() >= until:
                return False
            time.sleep(0.01)
        return True

    # --- inside --------------------------------------------------------------------------------------

    def _now(self) -> tuple[int, ...]:
        """Numbers that change when an instance comes or goes."""
        sql = "SELECT (SELECT max(id) FROM instance), (SELECT count(*) FROM instance WHERE life = ?)"
        newest, count = self._spool.ledger.read(sql, (int(Life.LIVE),))[0]
        return (newest or 0, count)

    def _start(self) -> None:
        self._pipe, theirs = os.pipe()
        try:
            self._pid = os.posix_spawn(
                sys.executable, [sys.executable, *_CHILD, self._spool.root, self._label], os.environ,
                file_actions=[(os.POSIX_SPAWN_DUP2, theirs, 1)], setsigmask=(), setpgroup=0,
            )  # fmt: skip
        except OSError as error:
            os.close(self._pipe)
            self._failed(f"no process for it: {error.strerror}")
        finally:
            os.close(theirs)

    def _hear(self) -> bool:
        """Whether the process has ended, with what it said."""
        pid, status = os.waitpid(self._pid, os.WNOHANG)
        if not pid:
            return False
        self._pid = 0
        with open(self._pipe, encoding="utf-8") as file:
            said = file.read()
        if status or not said:
            self._failed(f"its process ended with status {os.waitstatus_to_exitcode(status)}")
        else:
            self._tell(said.splitlines())
        return True

    def _tell(self, lines: list[str]) -> None:
        """Take over what was done, see ``directory_child``."""
        word, _, rest = lines[0].partition(" ")
        if word != "done":
            self._failed(rest)
            return
        pause_s, left = rest.split()
        self._failures, self._reason = 0, ""
        self._next_at = time.monotonic() + float(pause_s)
        self._seen = () if int(left) else self._state
        for note in lines[1:]:
            self._journal.say("warning", "keeper", f"DICOMDIR: {note}")

    def _failed(self, text: str) -> None:
        self._next_at = time.monotonic() + min(TRY_AGAIN_S * 2**self._failures, TRY_AGAIN_CAP_S)
        self._failures += 1
        self._reason = text
        self._journal.say("error", "keeper", f"the DICOMDIR of the spool is not up to date: {text}")
