"""The front panel at work: opens its line, again whenever it was unplugged, and tells what happens on it.

``told`` hears each event, and must have done with it what is to be done when it returns: the acknowledgement follows.
``lights`` is asked what the panel shows, ten times a second. ``fails`` is told whether the panel says that the power is
about to go: the first time that it says anything, and at each change.
"""

from __future__ import annotations

import select
import time

from agent.errors import DeviceError, PanelRefused
from agent.panel.messages import LIGHTS, Numbers
from agent.panel.port import Port
from agent.panel.session import Session
from agent.panel.update import Transfer
from agent.typed import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from agent.panel.session import Event
    from agent.panel.update import Image

# An operator sees a light change a tenth of a second later as an answer to his foot.
LOOK_S: Final = 0.1
# Between attempts to open a line that is not there; an adapter takes as long to come back.
REOPEN_S: Final = 1.0
_BY_USB: Final = "Put firmware on it by its USB plug once (hw/manifest.py says how it is made)."


class Panel:
    """``work`` is the function of its role."""

    def __init__(
        self,
        port: str,
        told: Callable[[Event], None],
        lights: Callable[[], str],
        fails: Callable[[bool], None],
        say: Callable[[str, str], None],
        *,
        watchdog_s: int = 0,
        numbers: Numbers | None = None,
    ) -> None:
        self._port = port
        self._told = told
        self._lights = lights
        self._fails = fails
        self._say = say
        self._watchdog_s = watchdog_s
        self._numbers = Numbers() if numbers is None else numbers
        self._session: Session | None = None
        self._trouble = ""
        self._failing: bool | None = None  # None until the panel has said it once
        self._present = False
        self._lost = 0
        self._transfer: Transfer | None = None
        self._told_end = True  # of the transfer

    @property
    def updating(self) -> bool:
        """Whether a firmware is on its way."""
        return self._transfer is not None and not self._transfer.ended

    def update(self, image: Image, *, downgrade: bool, may_restart: Callable[[], bool]) -> None:
        """Begin to put a firmware on the panel, which restarts when ``may_restart`` allows; ``PanelRefused``.

        How it goes on is in ``facts``. Presses are heard until the restart, which takes a second or two.
        """
        session = self._session
        hello = None if session is None else session.hello
        if hello is None:
            raise PanelRefused("the panel is not there")
        if "update" not in hello.abilities:
            raise PanelRefused(f"firmware {hello.firmware} of this panel takes no other over its line", hint=_BY_USB)
        if self.updating:
            raise PanelRefused("the panel is being updated already", hint="'panel status' says how far it is.")
        self._told_end = False
        self._transfer = Transfer(image, time.monotonic(), downgrade=downgrade, may_restart=may_restart)

    def work(self, stop: threading.Event, _facts: object = None) -> None:
        """Serve the panel until ``stop`` is set."""
        while not stop.is_set():
            try:
                port = Port(self._port)
            except DeviceError as error:
                self._troubled(str(error))
                stop.wait(REOPEN_S)
                continue
            try:
                self._serve(port, stop)
            except DeviceError as error:
                self._troubled(str(error))
                stop.wait(REOPEN_S)
            finally:
                self._session = None
                port.close()

    def facts(self) -> dict[str, Any]:
        """What is known of it, as plain values."""
        session = self._session
        if session is None or session.hello is None:
            update = self._transfer.facts() if self._transfer else None
            return {"port": self._port, "present": False, "trouble": self._trouble, "update": update}
        hello, state = session.hello, session.state
        return {
            "port": self._port,
            "present": session.speaks,
            "trouble": self._trouble,
            "firmware": hello.firmware,
            "serial": f"{hello.serial:016x}",
            "last_reset": hello.cause,
            "missed_frames": session.missed,
            "inputs": list(state.inputs) if state else [],
            "flags": list(state.flags) if state else [],
            "temperature_c": state.temperature_c if state else None,
            "dropped": state.dropped if state else 0,
            "lost": self._lost,
            "running": session.running._asdict() if session.running else None,
            "update": self._transfer.facts() if self._transfer else None,
        }

    def _serve(self, port: Port, stop: threading.Event) -> None:
        session = self._session = Session(self._numbers, time.monotonic(), watchdog_s=self._watchdog_s)
        poll = select.poll()
        poll.register(port, select.POLLIN)
        while not stop.is_set():
            session.lights = LIGHTS.index(self._lights())
            session.transfer = self._transfer
            session.tick(time.monotonic())
            port.write(session.outgoing)
            wait_s = min(LOOK_S, max(session.deadline - time.monotonic(), 0))
            if poll.poll(wait_s * 1000):
                data = port.read()
                for event in session.receive(data, time.monotonic()):
                    self._told(event)
            self._notice(session)
        session.leave()
        port.write(session.outgoing)

    def _notice(self, session: Session) -> None:
        """Say what has changed, once."""
        if session.speaks != self._present:
            self._present = session.speaks
            if session.hello is not None and self._present:
                self._trouble = ""
                hello = session.hello
                self._say("notice", f"there, firmware {hello.firmware}, last reset: {hello.cause}")
            elif session.hello is None:
                self._troubled(f"{self._port}: the panel is silent")
        if session.hello is not None and not session.speaks:
            self._troubled(f"the panel speaks version {session.hello.protocol} of the protocol: update its firmware")
        transfer = self._transfer
        if transfer is not None and transfer.ended and not self._told_end:
            self._told_end = True
            text = f"its firmware was not updated: {transfer.why}" if transfer.why else "its firmware was updated"
            self._say("warning" if transfer.why else "notice", f"{text} ({transfer.image.version})")
        if session.lost:
            self._lost += session.lost
            self._say("warning", f"{session.lost} events of the panel are lost")
            session.lost = 0
        if session.state is not None:
            failing = "power_fail" in session.state.flags
            if failing is not self._failing:
                self._failing = failing
                self._fails(failing)

    def _troubled(self, text: str) -> None:
        self._present = False
        if text != self._trouble:
            self._trouble = text
            self._say("warning", text)
