"""The network side of the daemon: the listener and the workers, wired to settings, spool and log."""

from __future__ import annotations

import time
from functools import partial

from agent.acquire.identity import new_uid
from agent.app.peers import peer_of_destination
from agent.app.wiring import tls_settings
from agent.config.words import rate_text, transfer_syntax_uid
from agent.forward.flights import Flights, Records
from agent.forward.incoming import OFFERS, serve_reports
from agent.forward.policy import BackOff
from agent.forward.settings import Settings as WorkerSettings
from agent.forward.settle import Settler
from agent.forward.worker import Worker
from agent.link.listener import Call, Listener
from agent.service.proposal import acceptor_policy
from agent.typed import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import threading
    from collections.abc import Sequence

    from agent.app.journal import Journal
    from agent.config.settings import DestinationSettings, Settings
    from agent.forward.schedule import Schedule
    from agent.forward.team import Helper
    from agent.spool.store import Spool

# The least time for an association on which to look whether an archive lists what it did not commit.
LOOK_S: Final = 60.0


def reporters(settings: Settings) -> dict[str, tuple[str, ...]]:
    """Who may report commitment for which destinations: by the AE Titles of the configuration."""
    names: dict[str, tuple[str, ...]] = {}
    for row in settings.destination:
        names[row.called_ae] = (*names.get(row.called_ae, ()), row.name)
    return names


def make_settler(settings: Settings, spool: Spool, journal: Journal) -> Settler:
    """Make what takes commitment reports, on our own associations and on the listener."""
    settler = Settler(spool, reporters(settings), lambda level, text: journal.say(level, "commitment", text))
    settler.listening = settings.listener.enabled
    return settler


def make_records(settler: Settler, spool: Spool, journal: Journal) -> Records:
    """Make the flight recorders of all destinations."""
    return Records(
        lambda name: Flights(spool.medium, name, partial(_say, journal, name)),
        lambda title: settler.destinations.get(title, ()),
    )


class Listening:
    """The listener as a role: bound at once, bound again when it failed."""

    __slots__ = ("_bound", "_journal", "_records", "_settings", "_settler", "host", "port")

    def __init__(self, settings: Settings, settler: Settler, records: Records, journal: Journal) -> None:
        """Bind the port; raises ``ListenFailed``, ``ConfigError`` or ``TlsRefused``."""
        self._settings = settings
        self._settler = settler
        self._records = records
        self._journal = journal
        self._bound: Listener | None = self._bind()
        self.host = settings.listener.host
        self.port = self._bound.port

    def work(self, stop: threading.Event, _facts: object = None) -> None:
        """Serve until ``stop`` is set."""
        listener, self._bound = self._bound or self._bind(), None
        listener.run(stop)

    def close(self) -> None:
        """Free the port of a listener that never served."""
        if self._bound is not None:
            self._bound.close()

    def _bind(self) -> Listener:
        settings = self._settings
        return Listener(
            settings.listener.host,
            settings.listener.port,
            acceptor_policy(OFFERS, called_aes=[settings.agent.ae_title]),
            self._serve,
            tls=tls_settings(settings) if settings.listener.tls else None,
            say=lambda text: self._journal.say("warning", "listener", text),
            record=self._records.incoming,
        )

    def _serve(self, call: Call) -> None:
        serve_reports(call, self._settler)


class Forwarder:
    """One destination as a role: the worker and what ``status`` says about it."""

    __slots__ = ("_asks", "_bandwidth", "_failover", "_helpers", "_schedule", "_spool", "_standby_for", "_worker",
        "name", "peer")  # fmt: skip

    def __init__(
        self, settings: Settings, row: DestinationSettings, spool: Spool, settler: Settler, records: Records,
        journal: Journal,
    ) -> None:  # fmt: skip
        self.name = row.name
        self.peer = peer_of_destination(settings, row)
        self._bandwidth = rate_text(row.bandwidth)
        self._failover = row.failover, row.failover_after_s
        self._asks = row.commitment_asks
        self._standby_for = [one.name for one in settings.destination if one.failover == row.name]
        self._schedule = schedule_of(row.send_windows)
        say = partial(_say, journal, row.name)
        other = standby_of(settings, row)
        self._spool = spool
        how = WorkerSettings(
            row.name,
            self.peer,
            row.commitment,
            report_deadline_s=row.commitment_timeout_s,
            most_asked=row.commitment_asks,
            look_s=max(row.commitment_timeout_s, LOOK_S),
            back_off=BackOff(row.retry_base_s, row.retry_cap_s),
            transfer_syntax=transfer_syntax_uid(row.transfer_syntax),
            cpu_share=row.cpu_share,
            schedule=self._schedule,
            urgent_ignores_windows=row.urgent_ignores_windows,
            failover=row.failover,
            failover_after_s=row.failover_after_s,
            failover_peer=None if other is None else peer_of_destination(settings, other),
            associations=row.associations,
        )
        record = records.of(row.name).begin
        self._worker = Worker(spool, how, settler, new_uid, say=say, record=record)
        self._helpers: list[Helper] = []
        if row.associations > 1:
            from agent.forward.team import Helper

            for number in range(2, row.associations + 1):
                helper = Helper(spool, how, settler, new_uid, say=say, record=record)
                helper.help(self._worker, number)
                self._helpers.append(helper)

    def work(self, stop: threading.Event, _facts: object = None) -> None:
        """Serve the destination until ``stop`` is set."""
        if self._helpers:
            from agent.forward.team import run_team

            run_team(self._worker, self._helpers, stop, self._spool.wake)
        else:
            self._worker.run(stop)

    def try_now(self) -> None:
        """End the rest after a failure: the operator says that the cause is gone."""
        self._worker.health = self._worker.health.tried_now()

    def facts(self) -> dict[str, Any]:
        """Return health in plain values; ``next_in_s`` counts from now."""
        health, (other, after_s) = self._worker.health, self._failover
        state = "ok" if not health.failures else ("needs the operator" if health.needs_operator else "resting")
        return {
            "peer": str(self.peer),
            "state": state,
            "failures": health.failures,
            "next_in_s": round(max(0.0, health.next_at - time.monotonic()), 1),
            "reason": health.reason,
            "hint": health.hint,
            "bandwidth": self._bandwidth,
            "window": window_facts(self._schedule),
            "held": self._spool.paused(self.name),
            "handed_over_to": other if other and health.down_for(after_s) else "",
            "failover": other,
            "failover_after_s": after_s,
            "failover_in_s": None if health.open_since is None else health.open_since + after_s - time.monotonic(),
            "standby_for": self._standby_for,
            "commitment_asks": self._asks,
        }


def standby_of(settings: Settings, row: DestinationSettings) -> DestinationSettings | None:
    """Return the destination that ``row`` names as its failover."""
    return next((other for other in settings.destination if row.failover and other.name == row.failover), None)


def schedule_of(windows: Sequence[str]) -> Schedule | None:
    """Return the schedule of checked windows; None without any."""
    if not windows:
        return None
    from agent.config.windows import spans
    from agent.forward.schedule import Schedule

    return Schedule(spans(windows))


def window_facts(schedule: Schedule | None) -> dict[str, Any] | None:
    """Return whether images may be sent now and when, in wall s, that changes; None where they always may."""
    return None if schedule is None else {"open": schedule.open(), "turns_at": schedule.turns_at()}


def _say(journal: Journal, destination: str, level: str, text: str) -> None:
    journal.say(level, f"to {destination}", text)
