"""What the running agent does about its configuration file while nobody asks.

What nobody confirmed it takes back, and a file that a person edited becomes a generation. It looks every few seconds,
which costs three questions to the file system. Whoever else comes first, a console or a verb, takes back what is due;
then the agent only reloads. What it does by itself is ``agent.config.stage``'s: a revert in this process,
because it must work when there is no memory for another one, and everything else in a process of its own, whose memory
goes with it.
"""

from __future__ import annotations

import os
import signal
import sys
import time

from agent.config.at_rest import NEXT, NOTICE, PENDING, Newest, history_of, may_write, newest
from agent.errors import AgentError
from agent.spool.watch import Trouble
from agent.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from agent.app.journal import Journal
    from agent.config.settings import Settings

# A file that was just written by hand may be written once more; a start has other things to do at first.
QUIET_S: Final = 10.0
# -P: the folder that the daemon was started in is no place to import from.
_ADOPT: Final = ("-P", "-m", "agent.config.stage")

Stamp = tuple[int, int, int]


class ConfigWatch:
    """For one thread, the keeper's."""

    __slots__ = (
        "_anew", "_child", "_failed", "_history", "_journal", "_number", "_path", "_quiet_at", "_settings", "_stamp",
        "_waits",
    )  # fmt: skip

    def __init__(self, path: str, journal: Journal, settings: Callable[[], Settings], anew: Callable[[], None]) -> None:
        self._path = path
        self._history = history_of(path)
        self._journal = journal
        self._settings = settings
        self._anew = anew
        self._child = 0
        self._failed = ""
        self._stamp = _stamp(path)
        self._number = newest(path).number  # of the generation that was in force when this last looked
        self._waits = os.path.lexists(f"{self._history}/{PENDING}")
        self._quiet_at = time.monotonic() + QUIET_S

    def look(self) -> Iterator[Trouble]:
        """Do what is due; yields what a person should know."""
        self._failed = ""
        if os.path.lexists(f"{self._history}/{PENDING}"):
            self._take_back()
            yield from self._waiting()
        self._see()
        if not self._waits:
            self._adopt()
        self._waits = os.path.lexists(f"{self._history}/{PENDING}")
        if self._failed:
            yield Trouble("configuration-failed", "error", self._failed)
        if os.path.lexists(f"{self._history}/{NOTICE}"):
            yield Trouble("configuration", "error", self._notice())

    def _take_back(self) -> None:
        try:
            from agent.config.stage import Stage

            told = Stage(self._path).revert_if_due()
        except (AgentError, OSError) as error:
            self._failed = f"what nobody confirms cannot be taken back: {error}"
            return
        for text in told:
            self._journal.say("warning", "configuration", text, always=True)

    def _see(self) -> None:
        """Reload where something was taken back, whoever did it."""
        stamp = _stamp(self._path)
        if stamp == self._stamp or os.path.lexists(f"{self._history}/{NEXT}"):  # a commit is not over yet
            return
        self._stamp, self._quiet_at = stamp, time.monotonic() + QUIET_S
        found = newest(self._path)
        if found.number > self._number and self._is_back(found):
            self._reload()
        self._number = max(found.number, self._number)

    def _is_back(self, found: Newest) -> bool:
        return found.came_by("revert") or (self._waits and found.came_by("restored"))

    def _reload(self) -> None:
        """Let the agent go on with the file as it is now; another spool needs another start."""
        from agent.config.load import load

        try:
            anew = load(self._path).spool != self._settings().spool
        except AgentError:
            anew = False  # the reload says what is wrong
        if anew:
            self._journal.say("warning", "configuration", "the spool is another one again: the agent begins anew")
            self._anew()
        else:
            os.kill(os.getpid(), signal.SIGHUP)

    def _waiting(self) -> Iterator[Trouble]:
        from agent.config.stage import Stage

        waiting = Stage(self._path).pending()
        if waiting is not None:
            text = (
                f"the configuration, generation {waiting.number} by {waiting.who}, is not confirmed: generation "
                f"{waiting.before} comes back in {waiting.left_s:.0f} s unless 'config confirm' is called"
            )
            yield Trouble("unconfirmed", "warning", text)

    def _notice(self) -> str:
        lines = _read(f"{self._history}/{NOTICE}").decode(errors="replace").splitlines()
        more = f" ('config history' has {len(lines) - 1} more)" if len(lines) > 1 else ""
        return f"{lines[-1] if lines else 'see config history'}{more}; the next commit ends this alarm"

    def _adopt(self) -> None:
        """Let a file that no commit made become a generation, once it is quiet."""
        if self._child:
            pid, _ = os.waitpid(self._child, os.WNOHANG)
            self._child = 0 if pid else self._child
            return
        if self._quiet_at and time.monotonic() >= self._quiet_at:
            self._quiet_at = 0.0
            number = newest(self._path).number
            if number:
                self._journal.say("info", "configuration", f"generation {number} is in force")
            elif self._stamp is not None and may_write(self._path):
                self._child = os.posix_spawn(
                    sys.executable, [sys.executable, *_ADOPT, self._path], os.environ, setsigmask=()
                )


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return b""


def _stamp(path: str) -> Stamp | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
