"""The life of the daemon's process: made, started, told to reload, stopped; and begun anew where its medium failed."""

from __future__ import annotations

import os
import signal
import sys

import agent
from agent.app import notify
from agent.app.journal import Journal
from agent.app.logbook import Logbook
from agent.app.runtime import Runtime
from agent.app.wiring import check_tls
from agent.native.heap import one_heap
from agent.typed import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.config.settings import Settings

ANEW: Final = "MODALITY_AGENT_ANEW"  # in the environment of who begins anew; see anew.py
_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def _make(path: str, settings: Settings, journal: Journal) -> Runtime | None:
    """Make the agent; one that begins anew waits for its medium, and may be told to stop meanwhile."""
    if not os.environ.get(ANEW):
        return Runtime(path, settings, journal)
    from agent.app.anew import patiently  # a start like any other does without

    return patiently(lambda: Runtime(path, settings, journal), settings.spool.path, journal)


def run(path: str, settings: Settings, rehearsed: Callable[[], object]) -> int:
    """Run the daemon with the checked ``settings`` of ``path`` until it is told to stop; returns the exit status.

    ``rehearsed`` waits for the rehearsal of the sources, and raises what it found.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    one_heap()  # before there are threads
    check_tls(settings, listener=False)
    journal = Journal()
    runtime = _make(path, settings, journal)
    if runtime is None:
        return 0
    journal.keep(Logbook(runtime.spool.root).write)
    journal.say("info", "agent", f"begins: version {agent.__version__}, pid {os.getpid()}, {path}", always=True)
    try:
        runtime.start(rehearsed)
    except BaseException:
        runtime.stop()
        journal.flush()
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
        journal.flush()
        if runtime.anew:
            from agent.app.anew import begin

            begin()
        return 0 if in_time else 1


def _say_ready(runtime: Runtime) -> None:
    where = "" if runtime.listener is None else f" port {runtime.listener.port}"
    sys.stdout.write(f"ready{where}\n")
    sys.stdout.flush()
    notify.notify("READY=1")
