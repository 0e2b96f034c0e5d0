"""The daemon: one process, one thread per role, coupled only through the spool.

::

    listener    accepts associations: Verification, Storage Commitment reports
    to NAME     sends to one destination and asks for commitment     (one role each)
    from NAME   captures from one source                             (one role each)
    control     answers other processes on this machine
    keeper      evicts what is settled

Start: configuration checked, spool locked and recovered, port bound, then ``ready`` on stdout and to systemd; what can
be wrong for good (configuration, spool, port, certificates) ends the process before that with its own status. After
that a role that fails is restarted (``agent.app.roles``).

SIGTERM and SIGINT stop: running clips are ended and sealed, associations are released, everything within ``STOP_S``.
SIGHUP reloads: the new file is checked completely first; a bad one is said loudly and changes nothing. Only roles whose
settings changed are restarted. A change of ``[spool]`` needs a restart, because the spool belongs to the process.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from typing import TYPE_CHECKING, Any, Final

from agent.app import notify
from agent.app.control import ControlServer
from agent.app.forwarding import Forwarder, Listening, make_settler, reporters
from agent.app.journal import Journal
from agent.app.roles import Spec, Supervisor
from agent.app.wiring import check_tls, open_spool, spool_destinations
from agent.errors import AgentError, ConfigError, UsageError

if TYPE_CHECKING:
    import threading

    from agent.acquire.exam import Exam
    from agent.acquire.recorder import Recorded, Recorder
    from agent.config.settings import Settings, SourceSettings
    from agent.spool.store import Spool

# systemd waits 90 s before it kills; a technician at the console waits less.
STOP_S: Final = 15.0
# Eviction needs no haste: when room is short the spool evicts by itself.
KEEP_S: Final = 60.0
_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class Runtime:
    """Everything the daemon holds; made, run and ended by ``run``."""

    def __init__(self, path: str, settings: Settings, journal: Journal) -> None:
        self.path = path
        self.settings = settings
        self.journal = journal
        self.started_at = time.time()
        self.supervisor = Supervisor(journal)
        self.spool: Spool = open_spool(settings)
        self.settler = make_settler(settings, self.spool, journal)
        self._exam: Exam | None = None
        self._certificates = _stamps(*settings.tls)
        self.recorders: dict[str, Recorder] = {}
        self.forwarders: dict[str, Forwarder] = {}
        self.listener: Listening | None = None
        self.control: ControlServer | None = None

    # --- life ----------------------------------------------------------------------------------

    def start(self) -> None:
        """Bind everything that can fail for good, then start the roles."""
        self._say_recovery()
        self.listener = self._bind(self.settings)
        self.control = ControlServer(self.spool.root, self.handle)
        self.supervisor.apply(self._plan(self.settings), within_s=STOP_S)

    def stop(self) -> bool:
        """Stop every role and close the spool; returns whether all ended in time."""
        notify.notify("STOPPING=1")
        if self.listener is not None:
            self.listener.close()
        if self.control is not None:
            self.control.close()
        late = self.supervisor.stop(STOP_S)
        self.spool.close()
        return not late

    def reload(self) -> bool:
        """Read the configuration again and apply it; False (and loud) when it is bad and the old one stays."""
        from agent.config.load import load

        notify.notify("RELOADING=1")
        try:
            settings = load(self.path, files=True)
            self._refuse_spool_change(settings)
            check_tls(settings)
            self._swap(settings)
        except AgentError as error:
            self.journal.say("error", "reload", f"{error} [{error.code}]; the old configuration stays in force")
            return False
        finally:
            notify.notify("READY=1")
        return True

    def _swap(self, settings: Settings) -> None:
        old = self.settings
        stamps = _stamps(*settings.tls)
        renewed = settings.listener.tls and stamps != self._certificates
        if settings.listener != old.listener or settings.tls != old.tls or renewed:
            self._rebind(settings, old)
        self._certificates = stamps
        self.settings = settings
        self.settler.destinations = reporters(settings)
        if settings.patient != old.patient or settings.exam != old.exam or settings.agent != old.agent:
            self._exam = None
        self.spool.configure(spool_destinations(settings))
        plan = self._plan(settings)
        stopped, started = self.supervisor.apply(plan, within_s=STOP_S)
        self.recorders = {row.name: self.recorders[row.name] for row in settings.source}
        self.forwarders = {row.name: self.forwarders[row.name] for row in settings.destination}
        changes = [f"stopped {name}" for name in stopped] + [f"started {name}" for name in started]
        self.journal.say("notice", "reload", "; ".join(changes) or "nothing changed")

    # --- roles ---------------------------------------------------------------------------------

    def _plan(self, settings: Settings) -> dict[str, Spec]:
        assert self.control is not None
        plan = {"control": Spec(self.control.serve, None), "keeper": Spec(self._keep, None)}
        if self.listener is not None:
            plan["listener"] = Spec(self.listener.work, id(self.listener))
        common = (settings.agent.ae_title, settings.tls, _stamps(*settings.tls))
        for row in settings.destination:
            facts = (row, common if row.tls else common[0])
            name = f"to {row.name}"
            if name not in self.supervisor.roles or self.supervisor.roles[name].facts != facts:
                self.forwarders[row.name] = Forwarder(settings, row, self.spool, self.settler, self.journal)
            plan[name] = Spec(self.forwarders[row.name].work, facts, self.spool.wake)
        for source in settings.source:
            known = (source, settings.agent, settings.patient, settings.exam)
            name = f"from {source.name}"
            if name not in self.supervisor.roles or self.supervisor.roles[name].facts != known:
                self.recorders[source.name] = self._recorder(source)
            plan[name] = Spec(self.recorders[source.name].work, known, self.recorders[source.name].wake)
        return plan

    def _recorder(self, source: SourceSettings) -> Recorder:
        from agent.acquire.recorder import Recorder

        return Recorder(source, self.exam(), self.spool, self._captured)

    def exam(self) -> Exam:
        """Return the exam that captures belong to; a new one when patient or exam were configured anew."""
        if self._exam is None:
            from agent.acquire.exam import Exam

            self._exam = Exam(self.settings)
        return self._exam

    def _captured(self, source: SourceSettings, done: Recorded) -> None:
        captured, sealed = done
        self.journal.say(
            "info" if not captured.dropped else "warning",
            f"from {source.name}",
            f"captured {captured.sop_instance_uid}: {captured.frames} frames, {captured.dropped} dropped, "
            f"{sealed.size} bytes, ended by {captured.ended_by}, sha256 {sealed.file_sha256}",
        )

    def _keep(self, stop: threading.Event, _facts: object) -> None:
        while not stop.wait(KEEP_S):
            count = self.spool.evict()
            if count:
                self.journal.say("info", "keeper", f"evicted {count} instances that every destination has")

    # --- requests of other processes ---------------------------------------------------------------

    def handle(self, request: dict[str, Any]) -> dict[str, Any]:
        """Answer one request of the control socket."""
        verb = request.get("verb")
        if verb == "status":
            return self.status()
        if verb == "retry":
            return {"ok": True, "count": self._retry(_text(request, "destination"), _text(request, "uid"))}
        if verb == "capture":
            recorder = self.recorders.get(_text(request, "source") or "")
            if recorder is None:
                raise UsageError(f"no source '{request.get('source')}' is configured")
            recorder.trigger()
            return {"ok": True}
        raise UsageError(f"the agent knows no request '{verb}'")

    def _retry(self, destination: str | None, uid: str | None) -> int:
        """Queue again what waits, and let the destinations concerned try now instead of at the end of their rest."""
        count = self.spool.retry(destination, uid)
        for name, forwarder in self.forwarders.items():
            if destination in (None, name):
                forwarder.try_now()
        self.spool.wake()
        return count

    def status(self) -> dict[str, Any]:
        """Return what the daemon is doing, as plain values."""
        return {
            "running": True,
            "pid": os.getpid(),
            "config": self.path,
            "ae_title": self.settings.agent.ae_title,
            "uptime_s": round(time.time() - self.started_at, 1),
            "memory": memory(),
            "listener": None if self.listener is None else {"host": self.listener.host, "port": self.listener.port},
            "queue": self.spool.counts(),
            "sources": {name: recorder.counts._asdict() for name, recorder in self.recorders.items()},
            "destinations": {name: one.facts() for name, one in self.forwarders.items()},
            "roles": {
                name: {"alive": role.thread.is_alive(), "failures": role.failures, "last_error": role.last_error}
                for name, role in self.supervisor.roles.items()
            },
        }

    # --- small things --------------------------------------------------------------------------

    def _bind(self, settings: Settings) -> Listening | None:
        return Listening(settings, self.settler, self.journal) if settings.listener.enabled else None

    def _rebind(self, settings: Settings, old: Settings) -> None:
        """Bind the new address before the old one is given up; the same address must be freed first."""
        same = (settings.listener.host, settings.listener.port) == (old.listener.host, old.listener.port)
        if not same:
            self.listener = self._bind(settings)
            return
        self.supervisor.drop("listener", STOP_S)
        try:
            self.listener = self._bind(settings)
        except AgentError:
            self.listener = self._bind(old)
            self.supervisor.apply(self._plan(old), within_s=STOP_S)
            raise

    def _refuse_spool_change(self, settings: Settings) -> None:
        if settings.spool != self.settings.spool:
            raise ConfigError(f"{self.path}: [spool] changed", hint="Restart the agent to change the spool.")

    def _say_recovery(self) -> None:
        report = self.spool.report
        if not report.clean:
            counts = report._asdict()
            notes = counts.pop("notes")
            done = ", ".join(f"{name.replace('_', ' ')}: {value}" for name, value in counts.items() if value)
            self.journal.say("error" if report.alarm else "notice", "spool", f"recovered: {done}")
            for note in notes if report.alarm else ():
                self.journal.say("warning", "spool", note)


def run(path: str, settings: Settings) -> int:
    """Run the daemon with the checked ``settings`` of ``path`` until it is told to stop; returns the exit status."""
    signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    check_tls(settings)
    journal = Journal()
    runtime = Runtime(path, settings, journal)
    try:
        runtime.start()
    except BaseException:
        runtime.stop()
        raise
    _say_ready(runtime)
    while True:
        number = signal.sigwait(_SIGNALS)
        if number == signal.SIGHUP:
            runtime.reload()
            continue
        journal.say("notice", "agent", f"stopping: {signal.Signals(number).name}")
        in_time = runtime.stop()
        journal.say("notice", "agent", "stopped" if in_time else "stopped, but not every role in time")
        return 0 if in_time else 1


def _say_ready(runtime: Runtime) -> None:
    where = "" if runtime.listener is None else f" port {runtime.listener.port}"
    sys.stdout.write(f"ready{where}\n")
    sys.stdout.flush()
    notify.notify("READY=1")


def memory() -> dict[str, int]:
    """Return resident memory now and at its peak, in KiB (proc(5))."""
    found = {}
    with open("/proc/self/status", encoding="ascii", errors="replace") as file:
        for line in file:
            name, _, value = line.partition(":")
            if name in ("VmRSS", "VmHWM"):
                found["rss_kib" if name == "VmRSS" else "peak_kib"] = int(value.split()[0])
    return found


def _text(request: dict[str, Any], name: str) -> str | None:
    value = request.get(name)
    if value is not None and not isinstance(value, str):
        raise UsageError(f"'{name}' of a request is text")
    return value


def _stamps(*paths: str) -> tuple[int, ...]:
    """Modification times, so that a renewed certificate counts as a change."""
    return tuple(os.stat(path).st_mtime_ns if path and os.path.exists(path) else 0 for path in paths)
