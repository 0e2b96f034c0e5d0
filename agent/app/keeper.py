"""The keeper: watches the medium, evicts, reads everything again, sees to the DICOMDIR of the spool, and tells.

What it tells is what nobody would notice in time: the end of a certificate, an old revocation list, and what is owed to
a destination that nobody serves any more, when its work begins, after a reload, and once a day. The head of the ledger
is written down beside it, and said with all that (agent/spool/anchor.py).
"""

from __future__ import annotations

import os
import time

from agent.app.alarms import Alarms
from agent.app.wiring import ask_time
from agent.errors import MediaError, SpoolError
from agent.spool import anchor
from agent.spool.anchor import KEPT_SUFFIX
from agent.spool.names import DIRECTORY, LEDGER
from agent.spool.watch import Levels, Trouble, Watch
from agent.typed import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterator, Mapping

    from agent.app.config_watch import ConfigWatch
    from agent.app.directory import Directory
    from agent.app.journal import Journal
    from agent.app.verifying import Verifier
    from agent.config.settings import Settings
    from agent.link.timekeeping import Kept
    from agent.spool.anchor import Head
    from agent.spool.store import Spool

# Eviction needs no haste: when room is short the spool evicts by itself.
KEEP_S: Final = 60.0
# How soon a medium that is full, read-only or gone is noticed, and that it is well again.
WATCH_S: Final = 5.0
# A medium that is gone, dead or read-only for so long is let go of, so that it can be unmounted, checked and put back.
LET_GO_S: Final = 30.0
TELL_S: Final = 86_400.0
# What may be cut off the end of the ledger without a trace, in time; each is a small write to the medium.
HEAD_S: Final = 600.0
# A DICOMDIR lags behind the spool by about this much; looking costs one short question to the ledger.
LOOK_S: Final = 15.0
# How soon a clip that could not be completed is tried again: at once, then ever later, because each try reads it whole.
RESUME_S: Final = 600.0
# How soon the ledger says that the clock follows somebody, or no more.
TIME_S: Final = 60.0
# An answer that old is no more one: who asks this often is held up, by the medium as a rule.
_OLD_S: Final = 5 * TIME_S
# The first look after the start: recovery, the first transfers and captures go before it.
FIRST_S: Final = 5.0

_DOUBT: Final = (
    "it does not have the event {head} that was written down beside it, so its end was cut off or an older copy was "
    f"put back; what it does not know of may be sent again. Such heads are kept in {LEDGER}{KEPT_SUFFIX} as evidence: "
    "run 'modality-agent spool verify', find out who did it, then delete that file"
)
_SPOILT: Final = (
    "whether the end of the ledger was cut off or an older copy put back cannot be told by it: run 'modality-agent "
    "spool verify --head' with the last head of the log, then delete that file"
)
_CUT: Final = (
    "clips that a fault of the medium cut off and that are no instances yet: {count}; their frames are kept, and it is "
    "tried again"
)


class Keeper:
    """The keeper as a role; ``settings`` gives those in force."""

    __slots__ = ("_anew", "_config", "_directory", "_doubts", "_head", "_head_at", "_journal", "_kept", "_resume_at",
        "_resume_rest", "_settings", "_sources", "_spool", "_verifier", "alarms", "watch")  # fmt: skip

    def __init__(
        self,
        spool: Spool,
        journal: Journal,
        settings: Callable[[], Settings],
        anew: Callable[[], None],
        config: ConfigWatch | None = None,
        sources: Callable[[], Mapping[str, str]] = dict,
    ) -> None:
        now = settings()
        self._spool = spool
        self._directory: Directory | None = None
        self._journal = journal
        self._settings = settings
        self._config = config
        self._sources = sources  # what a person must see to at each
        self._anew = anew  # called when the medium is to be opened anew
        self._verifier: Verifier | None = None
        self._kept: tuple[float, Kept | None] = (time.monotonic() - _OLD_S, None)  # when it was asked
        self._head = 0  # event whose value was written down last
        self._doubts: list[Head] | None = None  # heads that the ledger did not have; None: not compared yet
        self._resume_at, self._resume_rest = 0.0, 0.0  # monotonic s
        self._head_at = time.monotonic()
        self.watch = Watch(spool, Levels(now.spool.warning_percent / 100, now.spool.alarm_percent / 100))
        self.alarms = Alarms(journal)

    def work(self, stop: threading.Event, _facts: object = None) -> None:
        """Keep until ``stop`` is set."""
        now = time.monotonic()
        tell_at, keep_at, look_at, watch_at, time_at = now, now + KEEP_S, now + FIRST_S, now, now + TIME_S
        while not stop.wait(max(0.0, min(tell_at, keep_at, look_at, watch_at) - now)):
            now = time.monotonic()
            watch_at = now + WATCH_S
            well = self.look()
            if now >= tell_at:
                tell_at = now + TELL_S
                self.tell()
            if not well:  # nothing else before it is
                look_at, keep_at, time_at = (max(one, watch_at) for one in (look_at, keep_at, time_at))
            if now >= time_at:
                time_at = now + TIME_S
                self._ask_time(now)
            if now >= look_at:
                look_at = now + LOOK_S
                directory = self._dicomdir()
                if directory is not None:
                    directory.look()
            if now >= keep_at:
                keep_at = now + KEEP_S
                self._keep(stop)
            now = time.monotonic()

    def _ask_time(self, now: float) -> Kept | None:
        kept = ask_time(self._spool, self._settings())
        self._kept = now, kept
        return kept

    def kept(self) -> Kept | None:
        """Who keeps the clock right, as it was said a minute ago at most; asked now only where that is long ago."""
        now = time.monotonic()
        asked_at, kept = self._kept
        if now - asked_at >= _OLD_S:
            return self._ask_time(now)
        if kept is None or kept.heard_s is None:
            return kept
        return kept._replace(heard_s=kept.heard_s + now - asked_at)

    def _dicomdir(self) -> Directory | None:
        """Who sees to the DICOMDIR; None as long as there is nothing to list, and where a site does without."""
        now = self._settings()
        if self._directory is None and now.spool.dicomdir:
            if not os.path.lexists(f"{self._spool.root}/{DIRECTORY}") and not self._spool.any_live():
                return None
            from agent.app.directory import Directory  # an empty box does without

            self._directory = Directory(self._spool, self._journal, now.agent.ae_title)
        return self._directory

    def look(self) -> bool:
        """Look at the medium; whether it is well."""
        self._compare_head()
        troubles = self.watch.look()
        configuration = () if self._config is None else self._config.look()
        over = self.alarms.take((*troubles, *self._own(), *configuration))
        if any(one.returned or (one.dead and self.alarms.lasts(one.cause) > LET_GO_S) for one in troubles):
            self._anew()
        elif not any(trouble.refuses for trouble in troubles):
            if over:
                self._take_back()
            self._resume()
        return not any(trouble.dead for trouble in troubles)

    def _own(self) -> Iterator[Trouble]:
        """What is wrong with the spool while its medium may be well."""
        for name, text in self._sources().items():
            yield Trouble(f"source {name}", "warning", f"source '{name}': {text}")
        count = len(self._spool.unfinished)
        if count:
            yield Trouble("clip", "warning", _CUT.format(count=count))
        if self._doubts and os.path.lexists(f"{self._spool.root}/{LEDGER}{KEPT_SUFFIX}"):
            head = self._doubts[-1]
            yield Trouble(
                "ledger", "error", f"the ledger is not the one that was here before: {_DOUBT.format(head=head)}"
            )
        if os.path.lexists(f"{self._spool.root}/{LEDGER}{anchor.SPOILT_SUFFIX}"):  # one of before this start
            yield Trouble("head", "error", f"{anchor.spoilt(self._spool.root)}; {_SPOILT}")

    def refuse(self) -> None:
        """Raise why no capture can be made now: ``SpoolFull`` or ``MediaError``."""
        for trouble in self.watch.look():
            if trouble.dead:
                raise MediaError(trouble.text)
        self._spool.admission.reserve(0)  # evicts what it may before it refuses

    def _take_back(self) -> None:
        """Take back what was called lost while the medium was in trouble."""
        from agent.spool.returned import take_back_lost  # few media fail

        for uid in take_back_lost(self._spool):
            self._journal.say("notice", "keeper", f"a lost instance is back with the medium, and whole: {uid}")
        self._spool.wake()

    def _resume(self) -> None:
        """Complete what failed with the medium."""
        now = time.monotonic()
        if not self._spool.unfinished:
            self._resume_rest = 0.0
            return
        if self._resume_rest and now < self._resume_at:
            return
        from agent.spool.salvage import resume  # few media fail

        self._resume_rest = min(max(2 * self._resume_rest, WATCH_S), RESUME_S)
        self._resume_at = now + self._resume_rest
        for sealed in resume(self._spool):
            text = f"a clip that was cut off is kept with its durable frames: {sealed.sop_instance_uid}"
            self._journal.say("notice", "keeper", f"{text}, {sealed.size} bytes, sha256 {sealed.file_sha256}")

    def _keep(self, stop: threading.Event) -> None:
        try:
            count = self._spool.evict()
            if count:
                self._journal.say("info", "keeper", f"evicted {count} instances that every destination has")
            self._verify(stop)
        except SpoolError as error:
            self.watch.note(error)
            self._journal.say("error", "keeper", f"{error} [{error.code}]; {error.hint}")
        if time.monotonic() - self._head_at >= HEAD_S:
            self._write_head()

    def tell(self) -> None:
        """Say what ends, what is owed to nobody, and where the ledger is."""
        self._tell_certificates()
        self._tell_owed()
        head = self._write_head()
        if head:
            self._journal.say("info", "keeper", f"ledger head {head}")

    def leave(self) -> None:
        """Leave a spool whose DICOMDIR is true and whose head is written down, when nobody works on it any more."""
        if self._verifier is not None:
            self._verifier.end()
        try:
            directory = self._dicomdir()
        except SpoolError:
            return  # there is no medium to leave
        if directory is not None:
            directory.close()
        self._write_head()

    def dicomdir_facts(self) -> dict[str, Any] | None:
        """Return how it goes with the DICOMDIR; None where there is none to see to."""
        return None if self._directory is None else self._directory.facts

    def scrub_facts(self) -> dict[str, Any] | None:
        """Return how far everything was read again; None while there is nothing to read."""
        return None if self._verifier is None else self._verifier.facts

    def _verify(self, stop: threading.Event) -> None:
        """Begin to read everything again, once there is anything."""
        days = self._settings().spool.verify_days
        if self._verifier is None and days and self._spool.any_live():
            from agent.app.verifying import Verifier  # an empty box does without

            self._verifier = Verifier(self._spool, self._journal, days, stop, self.watch.note)

    def _write_head(self) -> str:
        """Write down where the ledger is and return it; empty where that is known already, or cannot be."""
        self._head_at = time.monotonic()
        if not self._compare_head():
            return ""
        try:
            rows = self._spool.ledger.read("SELECT seq, chain FROM event ORDER BY seq DESC LIMIT 1")
            if not rows or rows[0][0] == self._head:
                return ""
            head = anchor.Head(rows[0][0], bytes(rows[0][1]).hex())
            anchor.write(self._spool.medium, head)
        except SpoolError:
            return ""  # whoever writes says more
        self._head = head.seq
        return str(head)

    def _compare_head(self) -> bool:
        """Hold the head that was written down before this start against the ledger, once; False: not yet possible."""
        if self._doubts is None:
            try:
                self._doubts = anchor.compare(self._spool.medium, self._chain_of)
            except SpoolError:
                return False  # whoever writes says more; no head is written over it
        return True

    def _chain_of(self, seq: int) -> bytes | None:
        rows = self._spool.ledger.read("SELECT chain FROM event WHERE seq = ?", (seq,))
        return bytes(rows[0][0]) if rows else None

    def _tell_certificates(self) -> None:
        now, settings = time.time(), self._settings()
        if not any(settings.tls) and not any(row.tls for row in settings.destination):
            return
        from agent.app.certificates import ending, ending_of_peers  # a box without TLS does without

        for text in (*ending(settings, now), *ending_of_peers(settings, self._spool.root, now)):
            self._journal.say("warning", "tls", text)

    def _tell_owed(self) -> None:
        """It is never sent, and never evicted."""
        try:
            found = self._spool.owed_to_nobody()
        except SpoolError:
            return  # whoever writes says more; a reload that is done must not fail for this
        for name, count in found.items():
            what = f"{count} instance{'s' * (count > 1)}"
            text = f"destination '{name}' is not configured any more and still owed {what}: kept, and not sent"
            self._journal.say("warning", "spool", text)
