"""The daemon: one process, one thread per role, coupled only through the spool.

::

    listener    accepts associations: Verification, Storage Commitment reports
    to NAME     sends to one destination and asks for commitment     (one role each)
    from NAME   captures from one source                             (one role each)
    control     answers other processes on this machine
    keeper      evicts what is settled, keeps the DICOMDIR true

Start: configuration checked, spool locked and recovered, port bound, sources rehearsed beside all that, then ``ready``
on stdout and to systemd; what can be wrong for good (configuration, spool, port, certificates) ends the process before
that with its own status, and before any role works. After that a role that fails is restarted (``agent.app.roles``).

SIGTERM and SIGINT stop: associations are released within ``STOP_S``; running clips are ended and sealed, which on a
slow medium may take up to ``SEAL_S``, and only then the ledger is closed.

SIGHUP reloads: the new file is checked and everything new is made first; what fails there is said loudly and changes
nothing. Only roles whose settings changed are restarted; a capture asked for meanwhile is handed on, unless patient or
exam changed: then it is dropped, loudly, and never becomes an image of somebody else. A change of ``[spool]`` needs a
restart, because the spool belongs to the process.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from functools import partial

from agent.app import captures, notify
from agent.app.config_watch import ConfigWatch
from agent.app.control import ControlServer, number_of, priority_of, text_of
from agent.app.facts import forwarder_facts, memory, stamps_of
from agent.app.forwarding import Forwarder, Listening, make_records, make_settler, reporters
from agent.app.journal import Journal
from agent.app.keeper import Keeper
from agent.app.power import PowerHold
from agent.app.rehearse import rehearse_elsewhere
from agent.app.roles import Spec, Supervisor
from agent.app.wiring import check_tls, open_spool, spool_destinations
from agent.config.at_rest import bring_to_rest, may_write
from agent.errors import AgentError, ConfigError, SpoolError, UsageError
from agent.spool.states import PRIORITY_OF_WORD, WORDS
from agent.typed import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.acquire.exam import Exam
    from agent.acquire.recorder import Recorder
    from agent.app.front_panel import FrontPanel
    from agent.config.settings import Settings
    from agent.spool.store import Spool

# systemd waits 90 s before it kills; a technician at the console waits less.
STOP_S: Final = 15.0
# Sealing writes a clip to the medium: 1 GiB at the 2 MB/s of a worn flash card. Ending it earlier throws the clip away.
SEAL_S: Final = 600.0
# Asked of systemd again every ``roles.TICK_S`` while a clip is sealed; more than that by a margin for a busy machine.
_EXTEND: Final = "EXTEND_TIMEOUT_USEC=60000000"
# Requests that few boxes get.
RARE: Final = ("exported", "import", "hold", "release", "restart", "clock", "panel")
_OLD_STAYS: Final = "old configuration stays in force"


class Runtime:
    """Everything the daemon holds; made, run and ended by ``run``."""

    def __init__(self, path: str, settings: Settings, journal: Journal) -> None:
        self.path = path
        self.settings = settings
        self.journal = journal
        self.started_at = time.time()
        self.supervisor = Supervisor(journal)
        self.spool: Spool = open_spool(settings)
        config = ConfigWatch(path, journal, lambda: self.settings, self.begin_anew)
        self.keeper = Keeper(self.spool, journal, lambda: self.settings, self.begin_anew, config, self._attention)
        self.supervisor.told = self.keeper.watch.note
        self.spool.trouble = self._made_good
        self.anew = False  # the agent ends to begin anew: see anew.py
        self.settler = make_settler(settings, self.spool, journal)
        self.records = make_records(self.settler, self.spool, journal)
        self.lock = threading.Lock()  # a trigger goes to the recorder in force, never to one that was replaced
        self._exam: Exam | None = None
        self._specs: dict[str, Spec] = {}
        self._certificates = stamps_of(*settings.tls)
        self.recorders: dict[str, Recorder] = {}
        self.forwarders: dict[str, Forwarder] = {}
        self.front: FrontPanel | None = None
        self.power = PowerHold()
        self.listener: Listening | None = None
        self.control: ControlServer | None = None
        self.refused: dict[str, Any] | None = None  # when (wall s) and why the last reload was
        self.reloads = 0  # that were done or refused, for whoever asked for one

    # --- life ----------------------------------------------------------------------------------

    def start(self, rehearsed: Callable[[], object] = lambda: None) -> None:
        """Bind everything that can fail for good, hear how the rehearsal went, then start the roles."""
        self._say_recovery()
        self._exam = self._exam_of(self.settings)
        self._make(self.settings, self._exam, self.recorders, self.forwarders)
        self.listener = self._bind(self.settings)
        say = partial(self.journal.say, "error", "control")
        self.control = ControlServer(self.spool.root, self.handle, say)
        self._specs = self._plan(self.settings)
        rehearsed()
        self.supervisor.apply(self._specs, within_s=STOP_S)

    def stop(self) -> bool:
        """Stop every role and close the spool; returns whether all ended in time."""
        if not self.anew:
            notify.notify("STOPPING=1")
        if self.listener is not None:
            self.listener.close()
        if self.control is not None:
            self.control.close()
        late = self.supervisor.stop(STOP_S, SEAL_S, self._still_sealing)
        for name, recorder in self.recorders.items():
            if recorder.pending:
                self.journal.say("warning", f"from {name}", "a capture was asked for and is not made: the agent stops")
        if not any(role.busy() for role in self.supervisor.leaving):
            self.keeper.leave()
            self._close()
        return not late

    def _made_good(self, error: SpoolError) -> None:
        """Tell of a failure of the medium that cost nothing this time: the next one may."""
        self.keeper.watch.note(error)
        self.journal.say("warning", "spool", f"{error} [{error.code}]; each file was made durable by itself instead")

    def _close(self) -> None:
        try:
            self.spool.close()
        except SpoolError:
            if not self.anew:  # of a medium that is dead nothing else is to be expected
                raise

    def begin_anew(self) -> None:
        """End in order, and begin again in the same process."""
        self.anew = True
        os.kill(os.getpid(), signal.SIGTERM)

    def _still_sealing(self, name: str) -> None:
        notify.notify(_EXTEND)
        self.journal.say("notice", name, f"the agent waits until the clip is sealed, {SEAL_S:.0f} s at most")

    def reload(self) -> bool:
        """Read the configuration again and apply it; False (and loud) when it is bad and the old one stays."""
        from agent.app.common import load_config

        notify.notify("RELOADING=1")
        settings = None
        try:
            for text in bring_to_rest(self.path):
                self.journal.say("warning", "configuration", text, always=True)
            settings = load_config(self.path, files=True)
            self._refuse_spool_change(settings)
            check_tls(settings)
            for note in rehearse_elsewhere(self.path, settings):
                self.journal.say("warning", "reload", note)
            self._swap(settings)
        except AgentError as error:
            self._say_refused(f"{error} [{error.code}]")
            return False
        except Exception as error:  # noqa: BLE001  a fault of ours in a reload must not end captures and transfers
            self._say_fault(error, is_new=settings is self.settings)
            return False
        else:
            self.refused = None
            return True
        finally:
            self.reloads += 1
            notify.notify("READY=1")

    def _say_refused(self, reason: str) -> None:
        self.refused = {"at": time.time(), "reason": reason}
        self.journal.say("error", "reload", f"{reason}; the {_OLD_STAYS}", always=True)

    def _say_fault(self, error: Exception, *, is_new: bool) -> None:
        import traceback

        self.journal.show(traceback.format_exc())
        text = f"fault of the agent: {type(error).__name__}: {error}"
        if not is_new:
            self._say_refused(text)
            return
        which = "new configuration is in force, but incompletely: restart the agent"
        self.journal.say("error", "reload", f"{text}; the {which}", always=True)

    def _swap(self, settings: Settings) -> None:
        """Make everything new, then let it take the place of the old: from there on nothing can fail."""
        from agent.config.changes import changes

        changed = changes(self.settings, settings)
        old_listener, stamps = self.listener, stamps_of(*settings.tls)
        exam = self._exam_of(settings)
        recorders, forwarders = dict(self.recorders), dict(self.forwarders)
        self._make(settings, exam, recorders, forwarders)
        self._rebind(settings, stamps)
        try:
            self.spool.configure(spool_destinations(settings))
        except BaseException:
            self._restore(old_listener)
            raise
        before = self.recorders
        one_exam = (settings.patient, settings.exam) == (self.settings.patient, self.settings.exam)
        with self.lock:
            self.settings, self._exam, self._certificates = settings, exam, stamps
            self.recorders = {row.name: recorders[row.name] for row in settings.source}
        self.forwarders = {row.name: forwarders[row.name] for row in settings.destination}
        self.settler.destinations, self.settler.listening = reporters(settings), settings.listener.enabled
        self._specs = self._plan(settings)
        stopped, started = self.supervisor.apply(self._specs, within_s=STOP_S)
        captures.hand_on(before, self.recorders, self.lock, self.journal, one_exam=one_exam)
        told = [*changed, *(f"stopped {name}" for name in stopped), *(f"started {name}" for name in started)]
        self.journal.say("notice", "reload", "; ".join(told) or "nothing changed", always=True)
        self.keeper.tell()

    # --- roles ---------------------------------------------------------------------------------

    def _make(
        self,
        settings: Settings,
        exam: Exam | None,
        recorders: dict[str, Recorder],
        forwarders: dict[str, Forwarder],
    ) -> None:
        """Put new recorders and forwarders where there are none with the same facts."""
        for row in settings.destination:
            if self._is_new(f"to {row.name}", forwarder_facts(settings, row)):
                forwarders[row.name] = Forwarder(settings, row, self.spool, self.settler, self.records, self.journal)
        for source in settings.source:
            if self._is_new(f"from {source.name}", (source, exam)):
                assert exam is not None
                recorders[source.name] = captures.make(self, source, exam)

    def _is_new(self, name: str, facts: object) -> bool:
        return name not in self._specs or self._specs[name].facts != facts

    def _plan(self, settings: Settings) -> dict[str, Spec]:
        assert self.control is not None
        plan = {"control": Spec(self.control.serve, None), "keeper": Spec(self.keeper.work, None)}
        if self.listener is not None:
            plan["listener"] = Spec(self.listener.work, self.listener)
        for row in settings.destination:
            plan[f"to {row.name}"] = Spec(
                self.forwarders[row.name].work, forwarder_facts(settings, row), self.spool.wake
            )
        if settings.panel.port:
            plan["panel"] = Spec(self._panel_of(settings).work, settings.panel)
        for source in settings.source:
            recorder = self.recorders[source.name]
            busy = partial(_is_busy, recorder)
            plan[f"from {source.name}"] = Spec(recorder.work, (source, self._exam), recorder.wake, busy)
        return plan

    def _panel_of(self, settings: Settings) -> FrontPanel:
        """Return the panel in force, or a new one for a new ``[panel]``."""
        if self.front is None or self.front.settings != settings.panel:
            from agent.app.front_panel import FrontPanel  # a box without one pays nothing for it

            self.front = FrontPanel(settings.panel, self)
        return self.front

    def _exam_of(self, settings: Settings) -> Exam | None:
        """Return the exam that captures belong to: a new one when patient, exam or device were configured anew."""
        old = self.settings
        same = (settings.patient, settings.exam, settings.agent) == (old.patient, old.exam, old.agent)
        if same and self._exam is not None:
            return self._exam
        if not settings.source:
            return None  # an idle box without sources does not load what captures need
        from agent.acquire.exam import Exam

        return Exam(settings)

    def _attention(self) -> dict[str, str]:
        """What a person must see to at a source, by its name."""
        return {name: one.attention for name, one in self.recorders.items() if one.attention}

    # --- requests of other processes ---------------------------------------------------------------

    def handle(self, request: dict[str, Any]) -> dict[str, Any]:
        """Answer one request of the control socket."""
        verb = request.get("verb")
        if verb in ("status", "reload"):
            facts = self.status()  # with the reloads so far: whoever asks waits for one more
            if verb == "reload":
                os.kill(os.getpid(), signal.SIGHUP)
            return facts
        if verb == "retry":
            return {"ok": True, **self._retry(text_of(request, "destination"), text_of(request, "uid"))}
        if verb in captures.VERBS:
            return captures.answer(self, request)
        if verb == "examine":
            return {"ok": True, "state": WORDS[self.spool.examine_number(number_of(request, "instance"))]}
        if verb == "priority":
            priority = PRIORITY_OF_WORD[priority_of(request, "normal")]
            return {"ok": True, "count": self.spool.prioritize(text_of(request, "uid") or "", priority)}
        if verb in RARE:
            from agent.app.orders import order  # few boxes get one

            return order(self, request)
        raise UsageError(f"the agent knows no request '{verb}'")

    def _retry(self, destination: str | None, uid: str | None) -> dict[str, int]:
        """Queue or ask for again what waits, and let its destinations try now instead of at the end of their rest."""
        found = {"count": self.spool.retry(destination, uid), "asked": self.spool.ask_now(destination, uid)}
        for name, forwarder in self.forwarders.items():
            if destination in (None, name):
                forwarder.try_now()
        self.spool.wake()
        return found

    def status(self) -> dict[str, Any]:
        """Return what the daemon is doing, as plain values."""
        return {
            "running": True,
            "pid": os.getpid(),
            "config": self.path,
            "refused": self.refused,
            "reloads": self.reloads,
            "may_revert": may_write(self.path),
            "ae_title": self.settings.agent.ae_title,
            "associations": self.records.live_facts(),
            "started_at": self.started_at,
            "uptime_s": round(time.time() - self.started_at, 1),
            "memory": memory(),
            "listener": None if self.listener is None else {"host": self.listener.host, "port": self.listener.port},
            "queue": self.spool.counts(),
            "recovered": self.spool.report.words(),
            "verify": self.keeper.scrub_facts(),
            "dicomdir": self.keeper.dicomdir_facts(),
            "medium": self.keeper.alarms.facts,
            "power_held_s": self.power.left_s(),
            "panel": self.front.facts() if self.front is not None and self.settings.panel.port else None,
            "sources": {name: captures.facts(one) for name, one in self.recorders.items()},
            "destinations": {name: one.facts() for name, one in self.forwarders.items()},
            "roles": {
                name: {"alive": role.thread.is_alive(), "failures": role.failures, "last_error": role.last_error}
                for name, role in self.supervisor.roles.items()
            },
        }

    # --- small things --------------------------------------------------------------------------

    def _bind(self, settings: Settings) -> Listening | None:
        enabled = settings.listener.enabled
        return Listening(settings, self.settler, self.records, self.journal) if enabled else None

    def _rebind(self, settings: Settings, stamps: tuple[int, ...]) -> None:
        """Bind the new address before the old one is given up; the same address must be freed first."""
        old = self.settings
        renewed = settings.listener.tls and stamps != self._certificates
        if settings.listener == old.listener and settings.tls == old.tls and not renewed:
            return
        before = self.listener
        if (settings.listener.host, settings.listener.port) == (old.listener.host, old.listener.port):
            self.supervisor.drop("listener", STOP_S)
        try:
            self.listener = self._bind(settings)
        except AgentError:
            self._restore(before)
            raise

    def _restore(self, listener: Listening | None) -> None:
        """Let the old listener serve again; when its port was freed, its role binds it, as often as it takes."""
        if self.listener is not listener and self.listener is not None:
            self.listener.close()
        self.listener = listener
        self.supervisor.apply(self._specs, within_s=STOP_S)

    def _refuse_spool_change(self, settings: Settings) -> None:
        if settings.spool != self.settings.spool:
            raise ConfigError(f"{self.path}: [spool] changed", hint="Restart the agent to change the spool.")

    def _say_recovery(self) -> None:
        report = self.spool.report
        if not report.clean:
            self.journal.say("error" if report.alarm else "notice", "spool", f"recovered: {report.words()}")
            for note in report.notes if report.alarm or report.drafts_deleted or report.clips_kept else ():
                self.journal.say("warning", "spool", note)


def _is_busy(recorder: Recorder) -> bool:
    return recorder.busy
