"""The front panel beside the daemon: a foot on the pedal is ``trigger SOURCE``, and the lights are ``status``.

What a switch asks for is configured (``foot_does``): a capture, a still, or a clip, from press to press (``toggle``) or
for as long as it is pressed (``hold``). A clip ends at the moment the switch moved, however late that is heard.

Nobody stands at the panel who presses a pedal twice in vain and then gets three images: a press that is heard later
than ``STALE_S``, for the cable was out or the agent was not there, is told in the log and makes no capture. One that
makes none for another reason is told there, too, and both by the lights.

The heartbeat that keeps the panel from cycling the power of this box is in the same turn as the look at the status. So
a daemon whose ledger or roles do not answer any more has none.
"""

from __future__ import annotations

import time

from agent.app.captures import order, stop
from agent.app.health import TROUBLE, health
from agent.errors import AgentError
from agent.panel.driver import Panel
from agent.typed import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
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
        self.panel = panel = Panel(
            settings.port, self._told, self._lights, self._failing, self._note, watchdog_s=settings.watchdog_s
        )
        self.work, self.facts = panel.work, panel.facts

    def _note(self, level: str, text: str) -> None:
        self._runtime.journal.say(level, "panel", text)

    def _told(self, event: Event) -> None:
        source = self._sources.get(event.input, "")
        does = self._does.get(event.input, "capture")
        if not source or not (event.pressed or does == "hold"):
            return
        if does in ("toggle", "hold") and self._ends(event, source, does):
            return
        age_s = None if event.at is None else time.monotonic() - event.at
        why = ""
        if event.at is None or age_s is None or age_s > STALE_S:
            why = f"it was {'long' if age_s is None else f'{age_s:.0f} s'} ago"
        else:
            try:
                order(self._runtime, _KINDS[does], source, int(event.at * 1e9))
            except AgentError as error:
                why = f"{error} [{error.code}]"
        what = _KINDS[does]
        if why:
            self._upset = time.monotonic()
            self._note("warning", f"'{event.input}' was pressed and makes no {what} of {source}: {why}")
        else:
            self._note("info", f"'{event.input}' was pressed: a {what} of {source}")

    def _ends(self, event: Event, source: str, does: str) -> bool:
        """End the clip of the source, if that is what the foot wants; whether it was."""
        recorder = self._runtime.recorders.get(source)
        runs = recorder is not None and recorder.asks.running
        if event.pressed and (does == "hold" or not runs):
            return False
        moved = "pressed again" if event.pressed else "released"
        try:
            stop(self._runtime, source, int((time.monotonic() if event.at is None else event.at) * 1e9))
        except AgentError as error:  # it has ended by itself: that was told
            self._note("info", f"'{event.input}' was {moved}: {error}")
        else:
            self._note("info", f"'{event.input}' was {moved}: the clip of {source} ends")
        return True

    def _failing(self) -> None:
        self._note("error", "the power is about to fail: captures end and are sealed")
        self._runtime.begin_anew()

    def _lights(self) -> str:
        now = time.monotonic()
        if now - self._looked >= STATUS_S:
            self._looked = now
            self._word = word_of(self._runtime.status())
        if now - self._upset < UPSET_S:
            return "attention"
        capturing = any(one.counts.recording for one in self._runtime.recorders.values())
        return "capturing" if capturing else self._word


def word_of(status: dict[str, Any]) -> str:
    """Which lights stand for a status of the daemon, the gravest first."""
    if health(status)["word"] == TROUBLE:
        return "attention"
    if any(one["failures"] for one in status["destinations"].values()):
        return "link_down"
    waiting = any(states.get(word) for states in status["queue"].values() for word in _WAITING)
    return "queue_waiting" if waiting else "ready"
