"""What a session has around it: files, names, settings, clocks; the parts that a test replaces.

Everything the console keeps is in ``FILE.console/`` beside the configuration FILE, at a place that no key can change: a
configuration that is damaged or was edited must not make the console forget who may log in.
"""

from __future__ import annotations

import contextlib
import os

from agent.config.at_rest import reset_waits
from agent.config.unconfirmed import Times
from agent.console.lockout import LockOut
from agent.console.record import Record
from agent.console.users import Users
from agent.typed import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from agent.config.stage import Stage


class Manners(NamedTuple):
    """The settings of ``[console]``, with the defaults that hold while the configuration cannot be read."""

    banner: str = ""
    idle_s: float = 600.0
    lock_after: int = 3
    lock_cap_s: float = 300.0


class World:
    """One console's surroundings."""

    __slots__ = ("_stamp", "config", "fault", "host", "local", "lock", "manners", "record", "times", "users")

    def __init__(self, config: str, line: str, *, local: bool = False, times: Times | None = None) -> None:
        self.config = os.path.abspath(config)  # its folder is wanted, too
        folder = f"{self.config}.console"
        self.local = local  # on the caller's own terminal: it ends with the session
        self.times = times or Times()
        self.host = os.uname().nodename.partition(".")[0][:24] or "box"
        self.manners = Manners()
        self.fault = ""  # why the configuration cannot be read
        self.users = Users(folder)
        self.record = Record(folder, line)
        self.lock = LockOut(folder, self.manners.lock_after, self.manners.lock_cap_s, self.times)
        self._stamp: object = None
        self.refresh()

    def refresh(self) -> None:
        """Read ``[console]`` again if the configuration has changed; a factory reset that was cut off is finished."""
        if reset_waits(self.config):
            finish_reset(self.config)
        try:
            found = os.stat(self.config)
            stamp: object = (found.st_mtime_ns, found.st_size, found.st_ino)
        except OSError as error:
            stamp = error.errno
        if stamp == self._stamp:
            return
        self._stamp = stamp
        self.manners, self.fault = manners_of(self.config)
        self.lock.limits(self.manners.lock_after, self.manners.lock_cap_s)

    def stage(self) -> Stage:
        """Return the candidate configuration."""
        from agent.config.stage import Stage

        return Stage(self.config)


def finish_reset(path: str) -> None:
    """Finish a factory reset; where the medium does not let us, the next one to come does."""
    from agent.config.reset import finish
    from agent.errors import FileError

    with contextlib.suppress(FileError):
        finish(path)


def manners_of(path: str) -> tuple[Manners, str]:
    """Return the settings of the console and why they are the defaults, if they are."""
    from agent.config.load import load
    from agent.errors import ConfigError

    try:
        console = load(path).console
    except ConfigError as error:
        return Manners(), str(error)
    return Manners(console.banner, console.idle_s, console.lock_after, console.lock_cap_s), ""
