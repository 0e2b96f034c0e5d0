"""The agent's end of the line, without the line: bytes and the time in, events and bytes out (``hw/PROTOCOL.md``).

``receive`` returns each event once. What acknowledges it is in ``outgoing`` by then, so whoever drives this hands the
events on before it writes: an agent that dies in between hears them again. ``Numbers`` outlive a session, which is one
opening of the line.
"""

from __future__ import annotations

from agent.panel import messages
from agent.panel.framing import LIMIT, OVERHEAD, Decoder, encode
from agent.panel.messages import (
    ACK,
    ASK,
    BEAT,
    EVENT,
    GREET,
    HELLO,
    IMAGE,
    KEEP,
    OLD_MS,
    PING,
    PONG,
    STATE,
    VERSION,
    WRITTEN,
    Numbers,
)  # fmt: skip
from agent.panel.ticks import TickMap
from agent.panel.update import Running, status_word
from agent.typed import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from agent.panel.update import Transfer

BEAT_S: Final = 1.0
SILENT_S: Final = 3.5  # three states that did not come
# After a start the time of a tick is asked for a few times in a row: the luckiest counts.
_EAGER_PINGS: Final = 5
_EAGER_S: Final = 0.05
_PINGS: Final = 8  # whose answer may still come
# No frame takes longer from end to end: it is sent again, with another age, long before.
ON_THE_WAY_S: Final = 0.5


class Event(NamedTuple):
    """An edge of an input. Of one with ``at`` None nothing is known but that it was long ago."""

    number: int
    input: str
    pressed: bool
    at: float | None  # on the monotonic clock
    uncertainty_s: float


class Hello(NamedTuple):
    """Who is there."""

    protocol: int
    firmware: str
    cause: str
    abilities: tuple[str, ...]
    serial: int
    version: tuple[int, int, int]


class State(NamedTuple):
    """What the panel says of itself once a second."""

    inputs: tuple[str, ...]
    flags: tuple[str, ...]
    temperature_c: float | None
    bad: int
    dropped: int


class Session:
    """One opening of the line."""

    def __init__(self, numbers: Numbers, now: float, *, watchdog_s: int = 0) -> None:
        self.lights = messages.LIGHTS.index("ready")
        self.watchdog_s = watchdog_s
        self.outgoing = bytearray()
        self.hello: Hello | None = None
        self.state: State | None = None
        self.running: Running | None = None  # None until a panel that can be updated has said it
        self.transfer: Transfer | None = None  # a firmware that goes there
        self.lost = 0  # events that the panel had and does not have any more
        self.missed = 0  # frames of the panel that did not come, or came damaged
        self.deadline = now
        self._numbers = numbers
        self._heard_at = now
        self._decoder = Decoder()
        self._ticks = TickMap()
        self._pings: dict[int, float] = {}
        self._token = 0
        self._eager = _EAGER_PINGS
        self._beaten = now - BEAT_S
        self._shown = self.lights
        self._sequence = 0
        self._theirs: int | None = None
        self._payload = bytearray(LIMIT)
        self._frame = bytearray(LIMIT + OVERHEAD)

    @property
    def speaks(self) -> bool:
        """Whether a panel of our version is there."""
        return self.hello is not None and self.hello.protocol == VERSION

    def receive(self, data: bytes, now: float) -> list[Event]:
        """Hear the panel; returns what happened."""
        events: list[Event] = []
        at = 0
        while at < len(data):
            at = self._decoder.feed(data, at, len(data))
            if self._decoder.size:
                self._hear(now, events)
        return events

    def tick(self, now: float) -> None:
        """Say what it is time for; ``deadline`` is when to come again."""
        if now - self._heard_at >= SILENT_S:
            self.hello = self.state = self.running = None
        if now - self._beaten >= BEAT_S or self.lights != self._shown:
            self._beaten, self._shown = now, self.lights
            if self.hello is None or not self.speaks:
                self._send(GREET, VERSION)
            if self.hello is None or self.speaks:
                self._send(BEAT, VERSION, self.lights, self.watchdog_s)
                self._ping(now)
            self._watch_firmware()
        elif self._eager and self.speaks and now >= self.deadline:
            self._eager -= 1
            self._ping(now)
        self.deadline = now + _EAGER_S if self._eager and self.speaks else self._beaten + BEAT_S
        self._forward(now)

    def leave(self) -> None:
        """Say that this agent ends in order."""
        self._send(BEAT, VERSION, messages.LIGHTS.index("silent"), 0)

    def _hear(self, now: float, events: list[Event]) -> None:
        payload = self._decoder.payload
        fields = messages.unpack(payload, self._decoder.size)
        if fields is None:
            return
        self._heard_at = now
        kind = payload[0]
        if kind != HELLO:  # it may have begun anew
            self._count(payload[1])
        self._theirs = payload[1]
        if kind == HELLO:
            self._greeted(fields)
        elif kind in (WRITTEN, IMAGE):
            self._updated(kind, fields, now)
        elif not self.speaks:
            return
        elif kind == EVENT:
            self._happened(fields, now, events)
        elif kind == STATE:
            self.state = _state(fields)
        elif kind == PONG and fields[0] in self._pings:
            self._ticks.learn(self._pings.pop(fields[0]), now, fields[1])

    def _greeted(self, fields: tuple[int, ...]) -> None:
        protocol, major, minor, patch, cause, abilities, serial, run, first = fields
        firmware = f"{major}.{minor}.{patch}"
        self.hello = Hello(
            protocol, firmware, _word(messages.CAUSES, cause), _bits(messages.ABILITIES, abilities), serial,
            (major, minor, patch),
        )  # fmt: skip
        self.running = None  # it may be another one
        self._watch_firmware()
        if self.speaks:
            self.lost += self._numbers.greeted(run, first)
            self._eager = _EAGER_PINGS

    def _watch_firmware(self) -> None:
        """Ask what runs, and confirm a new firmware that has told its state: it hears, works and is heard."""
        if self.hello is None or "update" not in self.hello.abilities:
            return
        if self.running is None:
            self._send(ASK, VERSION)
        elif self.running.trial and self.speaks and self.state is not None:
            self._send(KEEP, self.running.image)

    def _updated(self, kind: int, fields: tuple[int, ...], now: float) -> None:
        if kind == IMAGE:
            image, board, slot, trial, outcome = fields
            words = _word(messages.BOARDS, board), _word(messages.SLOTS, slot), _word(messages.OUTCOMES, outcome)
            self.running = Running(image, words[0], words[1], trial > 0, words[2])
            if self.transfer is not None:
                self.transfer.runs(self.running, now)
        elif self.transfer is not None:
            self.transfer.heard(fields[0], status_word(fields[1]), now)

    def _forward(self, now: float) -> None:
        """Send what the transfer of a firmware has to say."""
        if self.transfer is None or self.transfer.ended:
            return
        hello = self.hello
        able = hello is not None and "update" in hello.abilities
        message = self.transfer.due(now, hello.version if hello is not None and able else None, self.running)
        if message is not None:
            kind, fields, tail = message
            self._send(kind, *fields, tail=tail)
        self.deadline = min(self.deadline, self.transfer.deadline)

    def _happened(self, fields: tuple[int, ...], now: float, events: list[Event]) -> None:
        run, number, tick, age_ms, place, level = fields
        if run != self._numbers.run:
            self._send(GREET, VERSION)
            return
        if self._numbers.take(run, number):
            at, uncertainty_s = self._time_of(tick, age_ms, now)
            events.append(Event(number, _word(messages.INPUTS, place), level == 1, at, uncertainty_s))
        self._send(ACK, self._numbers.run, self._numbers.wanted)

    def _time_of(self, tick: int, age_ms: int, now: float) -> tuple[float | None, float]:
        if age_ms == OLD_MS:
            return None, 0.0
        about = now - age_ms / 1000
        known = self._ticks.time_of(tick)
        if known is None or abs(known[0] - about) > ON_THE_WAY_S:  # its clock has begun anew, and we do not know it yet
            return about, ON_THE_WAY_S
        return known

    def _ping(self, now: float) -> None:
        self._token = self._token + 1 & 0xFFFF
        self._pings[self._token] = now
        if len(self._pings) > _PINGS:
            del self._pings[min(self._pings, key=self._pings.__getitem__)]
        self._send(PING, self._token)

    def _count(self, sequence: int) -> None:
        if self._theirs is not None:
            self.missed += (sequence - self._theirs - 1) & 0xFF

    def _send(self, kind: int, *fields: int, tail: bytes = b"") -> None:
        size = messages.pack(self._payload, kind, self._sequence, *fields)
        self._payload[size : size + len(tail)] = tail
        size += len(tail)
        self._sequence = self._sequence + 1 & 0xFF
        length = encode(self._frame, self._payload, size)
        self.outgoing += self._frame[:length]


def _word(words: tuple[str, ...], number: int) -> str:
    return words[number] if number < len(words) else f"number {number}"


def _bits(words: tuple[str, ...], value: int) -> tuple[str, ...]:
    return tuple(word for bit, word in enumerate(words) if value >> bit & 1)


def _state(fields: tuple[int, ...]) -> State:
    _tick, _next, inputs, flags, temperature, bad, dropped = fields
    degrees = None if temperature == messages.UNKNOWN_C else temperature / 100
    return State(_bits(messages.INPUTS, inputs), _bits(messages.FLAGS, flags), degrees, bad, dropped)
