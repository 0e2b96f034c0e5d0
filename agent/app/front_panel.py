"""The front panel beside the daemon: a foot on the pedal is ``trigger SOURCE``, and the lights are ``status``.

What a switch asks for is configured (``foot_does``): a capture, a still, or a clip, from press to press (``toggle``) or
for as long as it is pressed (``hold``). A clip ends at the moment the switch moved, however late that is heard. A
switch that moved before a clip was asked for does not end it, and one that is held ends none but its own.

Nobody stands at the panel who presses a pedal twice in vain and then gets three images: a press that is heard later
than ``STALE_S``, for the cable was out or the agent was not there, is told in the log and makes no capture. One that
makes none for another reason is told there, too, and both by the lights.

What the panel's numbers are remembered for over an end of the agent is in ``heard.py``.

The heartbeat that keeps the panel from cycling the power of this box is in the same turn as the look at the status. So
a daemon whose ledger or roles do not answer any more has none.
"""

from __future__ import annotations

import time

from agent.app.captures import expose, order, stop
from agent.app.health import TROUBLE, health
from agent.app.heard import Heard
from agent.errors import AgentError
from agent.panel.driver import Panel
from agent.typed import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import threading

    from agent.app.runtime import Runtime
    from agent.config.settings import PanelSettings
    from agent.panel.session import Event

# A person who waits longer has looked at the screen and pressed again.
STALE_S: Final = 2.0
STATUS_S: Final = 1.0  # between two looks at all of the status; whether something is captured is looked at each time
UPSET_S: Final = 2.0  # how long the lights say that a press made no capture
# What a switch does -> the kind of order.
_KINDS: Final = {"capture": "capture", "still": "still", "toggle": "clip", "hold": "clip"}
_WAITING: Final = ("queued", "active", "stored", "awaiting commitment", "deferred")


class FrontPanel:
    """``work`` is the function of its role; one of these belongs to one ``[panel]``."""

    def __init__(self, settings: PanelSettings, runtime: Runtime) -> None:
        self.settings = settings
        self._runtime = runtime
        self._sources: dict[str, str] = settings._asdict()
        self._does = {key.removesuffix("_does"): word for key, word in self._sources.items() if key.endswith("_does")}
        self._word = "ready"
        self._looked = float("-inf")
        self._upset = float("-inf")
        self._heard = Heard(runtime.spool.ledger, self._note)
        self._supply: bool | None = None  # whether it fails; None before the panel has said it
        self.panel = panel = Panel(
            settings.port, self._told, self._lights, self._failing, self._note, watchdog_s=settings.watchdog_s,
            numbers=self._heard.numbers,
        )  # fmt: skip
        self._serve, self.facts = panel.work, panel.facts

    def work(self, stop: threading.Event, facts: object = None) -> None:
        """Serve the panel until ``stop`` is set."""
        try:
            self._serve(stop, facts)
        finally:
            self._heard.settle(self._is_under_way)

    def _note(self, level: str, text: str) -> None:
        self._runtime.journal.say(level, "panel", text)

    def _told(self, event: Event) -> None:
        promised = self._carry_out(event)
        if promised:
            self._heard.carried_out(event.number, promised)
        else:
            self._heard.passed(event.number)

    def _carry_out(self, event: Event) -> str:
        """Do what the event asks for; returns the source of which an image will come, or ''."""
        source = self._sources.get(event.input, "")
        does = self._does.get(event.input, "capture")
        if not source or not (event.pressed or does == "hold"):
            return ""
        if event.input == "exposure" and self._is_exposed(source):
            return self._expose(event, source)
        if does in ("toggle", "hold") and self._ends(event, source, does):
            return ""
        age_s = None if event.at is None else time.monotonic() - event.at
        why, what = "", _KINDS[does]
        if event.at is None or age_s is None or age_s > STALE_S:
            why = f"it was {'long' if age_s is None else f'{age_s:.0f} s'} ago"
        else:
            try:
                name, held_by = self._heard.name(event.number), event.input if does == "hold" else ""
                order(self._runtime, what, source, int(event.at * 1e9), event=name, held_by=held_by)
            except AgentError as error:
                why = f"{error} [{error.code}]"
        if why:
            self._upset = time.monotonic()
            self._note("warning", f"'{event.input}' was pressed and makes no {what} of {source}: {why}")
            return ""
        self._note("info", f"'{event.input}' was pressed: a {what} of {source}")
        return source

    def _is_under_way(self, source: str) -> bool:
        recorder = self._runtime.recorders.get(source)
        return recorder is not None and (recorder.busy or not recorder.asks.idle)

    def _is_exposed(self, source: str) -> bool:
        recorder = self._runtime.recorders.get(source)
        return recorder is not None and recorder.source.exposure_window_ms > 0

    def _expose(self, event: Event, source: str) -> str:
        why = expose(self._runtime, source, event.at, event.uncertainty_s, self._heard.name(event.number))
        if why:
            self._upset = time.monotonic()
            return ""
        self._note("info", f"an exposure: its frame of {source} is looked for")
        return source

    def _ends(self, event: Event, source: str, does: str) -> bool:
        """End the clip of the source, if that is what the foot wants; whether nothing else is to be done."""
        recorder = self._runtime.recorders.get(source)
        at_ns = time.monotonic_ns() if event.at is None else int(event.at * 1e9)
        if event.pressed and (does == "hold" or event.at is None or recorder is None or not recorder.asks.ran(at_ns)):
            return False
        moved = "pressed again" if event.pressed else "released"
        self._heard.carried_out(event.number)
        try:
            stop(self._runtime, source, at_ns, "" if event.pressed else event.input)
        except AgentError as error:  # it has ended by itself, which was told, or is another's
            self._note("info", f"'{event.input}' was {moved}: {error}")
        else:
            self._note("info", f"'{event.input}' was {moved}: the clip of {source} ends")
        return True

    def _failing(self, fails: bool) -> None:  # noqa: FBT001  a fact, not an option
        first, self._supply = self._supply is None, fails
        power = self._runtime.power
        if fails:
            power.fails()
            self._note("error", "the power is about to fail: captures end and are sealed, and none begins")
            if not first:  # else it has begun anew already
                self._runtime.begin_anew()
        elif power.is_well():
            self._note("notice", "the power is well again: captures go on")
            for recorder in self._runtime.recorders.values():
                recorder.wake()

    def _lights(self) -> str:
        now = time.monotonic()
        if now - self._looked >= STATUS_S:
            self._looked = now
            if self._supply:
                self._runtime.power.fails()
            self._heard.settle(self._is_under_way)
            self._word = word_of(self._runtime.status())
        if now - self._upset < UPSET_S:
            return "attention"
        sources = self._runtime.recorders.values()
        if any(one.trouble for one in sources):
            return "attention"
        if any(one.counts.recording for one in sources):
            return "capturing"
        return "armed" if self._word == "ready" and any(one.armed for one in sources) else self._word


def word_of(status: dict[str, Any]) -> str:
    """Which lights stand for a status of the daemon, the gravest first."""
    if health(status)["word"] == TROUBLE:
        return "attention"
    if any(one["failures"] for one in status["destinations"].values()):
        return "link_down"
    waiting = any(states.get(word) for states in status["queue"].values() for word in _WAITING)
    return "queue_waiting" if waiting else "ready"
