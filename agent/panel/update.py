"""A firmware on its way to the panel, without the line: what the panel answers and the time in, messages out.

Everything is asked for again until it is answered, and every answer says where the panel is. So a transfer outlives
lost frames, a line that was pulled out, and a reset of the panel, after which it begins anew. Blocks are made shorter
while they are lost and longer again while they are not. The panel confirms nothing by itself: its new firmware is kept
because a session has heard it (``Session``), and one that is not heard is taken back by the panel.
"""

from __future__ import annotations

import zlib

from agent.panel.messages import ASK, BLOCK, BOARDS, INSTALL, OFFER, STATUSES, VERSION, WRITE
from agent.typed import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from agent.panel.image import Manifest

AGAIN_S: Final = 0.25  # a block is on the line for 13 ms, and a sector of flash is erased in 50
PATIENCE_S: Final = 90.0  # without any progress: more than a trial of the panel lasts, whose end is to be heard
_SHORTEST: Final = 16  # of a block, on a bad line
_LONGER: Final = 8  # a block that arrived makes the next so much longer

_REFUSALS: Final = {
    "damaged": "what arrived is not what was sent",
    "refused": "it cannot be updated over its line",
    "other_board": "the firmware is for another board",
    "other_protocol": "the firmware speaks an older version of the protocol",
    "older": "the firmware is older than the one that runs",
    "no_room": "its flash has no room for it",
    "failed": "its flash does not take it",
}
_ENDS: Final = {
    "crashed": "the new firmware failed when it was started; the old one runs again",
    "not_confirmed": "the new firmware was not heard in time after its start; the old one runs again",
}


class Image(NamedTuple):
    """A firmware that is whole (``agent.panel.bundle``)."""

    data: bytes
    manifest: Manifest
    manifest_size: int
    digest: bytes  # SHA-256 of the manifest: its name

    @property
    def version(self) -> str:
        """The version of the firmware."""
        return ".".join(map(str, self.manifest.version))

    @property
    def number(self) -> int:
        """What a panel calls it: the first four bytes of the digest."""
        return int.from_bytes(self.digest[:4], "little")


class Running(NamedTuple):
    """What a panel says of the firmware that runs there."""

    image: int  # first four bytes of what it is called by; 0: the frozen one
    board: str
    slot: str
    trial: bool
    outcome: str  # of the last trial


class Transfer:
    """One update. ``phase`` is a word for people, ``done`` and ``why`` are its end."""

    def __init__(
        self, image: Image, now: float, *, downgrade: bool = False, may_restart: Callable[[], bool] = lambda: True
    ) -> None:
        self.image = image
        self.phase = "waiting"
        self.sent = 0
        self.done = False
        self.why = ""  # it failed
        self.deadline = now
        self._downgrade = downgrade
        self._options = int(now * 10) << 1 & 0xFE | downgrade  # the other bits tell one offer from the next
        self._may_restart = may_restart
        self._moved = now
        self._block = BLOCK
        self._last = -1  # offset of the block that is under way
        self._reset = False  # the panel was, while it was to install

    @property
    def ended(self) -> bool:
        """Whether there is nothing more to do."""
        return self.done or self.why != ""

    def facts(self) -> dict[str, Any]:
        """How far it is, as plain values."""
        return {
            "version": self.image.version, "phase": self.phase, "sent": self.sent, "size": len(self.image.data),
            "done": self.done, "failed": self.why,
        }  # fmt: skip

    def due(self, now: float, version: tuple[int, ...] | None, running: Running | None) -> tuple[Any, ...] | None:
        """Return the message that it is time for: type, fields, and what follows them. ``version`` runs there."""
        if self.ended:
            return None
        if now - self._moved >= PATIENCE_S:
            self._fail(f"the panel did not answer for {PATIENCE_S:g} s; it keeps the firmware that it has")
            return None
        if now < self.deadline:
            return None
        self.deadline = now + AGAIN_S
        if version is None:
            return None  # nobody is there
        if running is None or self.phase == "restarting":
            return ASK, (VERSION,), b""
        if self.phase == "waiting":
            self._begin(now, version, running)
        return None if self.ended else self._message(now)

    def heard(self, offset: int, status: str, now: float) -> None:
        """Hear the answer of the panel: what it wants next, and a word of ``STATUSES``."""
        if self.ended or self.phase in ("waiting", "restarting"):
            return
        if status in _REFUSALS:
            self._fail(f"the panel refuses: {_REFUSALS[status]}")
        elif status == "installing":
            self._go("restarting", now)
        elif status == "unknown" and self.phase == "installing":
            self._go("restarting", now)
            self._reset = True  # and what runs now tells the rest
        elif status == "unknown":
            self._go("offering", now)
        elif status == "complete" and self.phase != "installing":
            self.sent = len(self.image.data)
            self._go("ready", now)
        elif status == "more":
            self._wanted(offset, now)
        elif status == "wait" and self.phase == "sending" and offset == len(self.image.data):
            self._go("checking", now)

    def runs(self, running: Running, now: float) -> None:
        """Hear what runs on the panel."""
        if self.ended or self.phase not in ("installing", "restarting"):
            return
        if running.image == self.image.number:
            if not running.trial:
                self.phase, self.done = "done", True
        elif running.outcome in _ENDS:
            self._fail(_ENDS[running.outcome])
        elif self._reset:  # before it had written down what it was to do
            self._go("offering", now)

    def _begin(self, now: float, version: tuple[int, ...], running: Running) -> None:
        said = self.image.manifest
        if running.image == self.image.number and not running.trial:
            self.phase, self.done = "done", True
        elif running.board not in (said.board, BOARDS[0]):
            self._fail(f"the firmware is for the board '{said.board}', and this is '{running.board}'")
        elif said.protocol != VERSION:
            self._fail(f"the firmware speaks version {said.protocol} of the protocol, and this agent {VERSION}")
        elif said.version < version and not self._downgrade:
            there = ".".join(map(str, version))
            self._fail(f"the firmware is {self.image.version}, older than {there} which runs; --downgrade says it may")
        else:
            self._go("offering", now)

    def _message(self, now: float) -> tuple[Any, ...] | None:
        image = self.image
        if self.phase in ("offering", "checking"):
            fields = len(image.data), image.manifest_size, self._options
            return OFFER, fields, image.digest
        if self.phase == "sending":
            if self._last == self.sent:  # it was not answered
                self._block = max(self._block // 2, _SHORTEST)
            self._last = self.sent
            block = image.data[self.sent : self.sent + self._block]
            return WRITE, (self.sent, zlib.crc32(block)), block
        if self.phase == "ready" and self._may_restart():
            self._go("installing", now)
        if self.phase == "ready":
            self._moved = now  # a capture takes as long as it takes
        return (INSTALL, (image.number,), b"") if self.phase == "installing" else None

    def _wanted(self, offset: int, now: float) -> None:
        if self.phase == "offering":
            self._go("sending", now)
        elif self.phase != "sending" or offset == self.sent:
            return
        else:
            self._block = min(self._block + _LONGER, BLOCK)
        if offset > self.sent or offset == 0:
            self._moved = now
        self.sent = min(offset, len(self.image.data))
        self._last = -1
        self.deadline = now

    def _go(self, phase: str, now: float) -> None:
        if phase != self.phase:
            self.phase = phase
            self._moved = self.deadline = now
            if phase == "offering":
                self.sent = 0
                self._reset = False

    def _fail(self, why: str) -> None:
        self.phase, self.why = "failed", why


def status_word(number: int) -> str:
    """Return the word of ``STATUSES``; what is not known refuses."""
    return STATUSES[number] if number < len(STATUSES) else "refused"
