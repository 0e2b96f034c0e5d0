"""The panel: what comes on the line and what the pins do, put together. ``main`` calls ``turn`` for ever."""

from board import EXPOSURE, KEPT, SWITCHES, Board
from clock import Clock, since
from framing import LIMIT, OVERHEAD, Decoder, encode
from heart import Heart
from lights import Lights
from messages import (
    ACK,
    ASK,
    BEAT,
    EVENT,
    GREET,
    HELLO,
    IMAGE,
    INSTALL,
    KEEP,
    OFFER,
    PING,
    PONG,
    STATE,
    STATUSES,
    TICKS,
    VERSION,
    WRITE,
    WRITTEN,
    pack,
    tail,
    unpack,
)  # fmt: skip
from outbox import Outbox
from slots import Slots
from trigger import Switch
from update import Update

FIRMWARE = (0, 2, 0)
_UPDATE = 1 << 4  # an ability
STATE_MS = 1000
ALARM_MS = 20  # between states while the power fails: one of them arrives


class Panel:
    """One of it, on one board."""

    def __init__(self, board: Board, slots: Slots | None = None) -> None:
        self._kept = bytearray(KEPT)
        kept = board.kept()
        if len(kept) == KEPT and kept[KEPT - 1] < 4:  # 0.1 had something else there
            self._kept[:] = kept
        self.heart = Heart(self._kept)
        self.outbox = Outbox(self._kept, board.random())
        self._board = board
        self._slots = slots
        self._update = None if slots is None else Update(slots, board.kind, FIRMWARE)
        self._clock = Clock(board)
        self._decoder = Decoder()
        self._input = bytearray(256)
        self._payload = bytearray(LIMIT)
        self._frame = bytearray(LIMIT + OVERHEAD)
        self._sequence = 0
        self._switches = [Switch(board.level(place)) for place in SWITCHES]
        self._exposed = 0
        self._lights = Lights()
        self._failing = False  # at the last turn: a failure lasts longer than one
        self._flags = 0
        self._stated = 0
        self._temperature = board.temperature()
        board.keep(self._kept)
        self._hello()

    def turn(self) -> None:
        """Look at everything once; at least every 10 ms, every millisecond if the board can."""
        self._clock.look()
        self._listen()
        self._sense()
        self._watch()
        self._speak()

    def _listen(self) -> None:
        size = self._board.read(self._input)
        at = 0
        while at < size:
            at = self._decoder.feed(self._input, at, size)
            if self._decoder.size:
                self._hear(self._decoder.payload, self._decoder.size)

    def _hear(self, payload: bytearray, size: int) -> None:
        fields = unpack(payload, size)
        if fields is None:
            return
        kind = payload[0]
        if kind == GREET:
            self._hello()
        elif kind == BEAT and fields[0] == VERSION:
            self._lights.show(fields[1], self._clock.ms)
            if self.heart.beat(self._clock.ms, fields[2]):
                self._board.keep(self._kept)
        elif kind == ACK and self.outbox.acknowledge(fields[0], fields[1], self._clock.ms):
            self._board.keep(self._kept)
        elif kind == PING:
            self._send(PONG, fields[0], self._clock.us)
        elif kind in (ASK, OFFER, WRITE, INSTALL, KEEP):
            self._renew(kind, fields, payload, size)

    def _renew(self, kind: int, fields: tuple[int, ...], payload: bytearray, size: int) -> None:
        """Hear of another firmware; the messages for it are the same in every version."""
        update, slots = self._update, self._slots
        if update is None or slots is None:
            self._send(WRITTEN, 0, STATUSES.index("refused"))
            return
        if kind == KEEP and fields[0] == update.image:
            slots.keep()
        if kind in (ASK, KEEP):
            self._send(IMAGE, update.image, self._board.kind, slots.running, slots.on_trial, slots.outcome)
            return
        if kind == OFFER:
            update.offer(fields[0], fields[1], fields[2], bytes(payload[tail(OFFER) : size]))
        elif kind == WRITE:
            update.write(fields[0], fields[1], memoryview(payload)[tail(WRITE) : size])
        elif not self.outbox.count:  # a reset takes their times
            update.install(fields[0], self._clock.ms)
        self._send(WRITTEN, update.offset, update.status)

    def _sense(self) -> None:
        for place in SWITCHES:
            switch = self._switches[place]
            if switch.look(self._board.level(place), self._clock.us):
                self._note(place, switch.level, switch.tick)
        edge = self._board.next_edge()
        if edge is not None:
            self._exposed = edge[1]
            self._note(EXPOSURE, edge[1], self._clock.us_of(edge[0]))

    def _note(self, place: int, level: int, tick: int) -> None:
        clock = self._clock
        if self.outbox.add(place, level, tick, clock.ms - since(clock.us, tick) // 1000 & TICKS):
            self._board.keep(self._kept)

    def _watch(self) -> None:
        heart = self.heart
        if heart.look(self._clock.ms):
            self._board.keep(self._kept)
        self._board.power_cycle(heart.cycling)
        if heart.silent:
            self._lights.show(0, self._clock.ms)
        on = self._lights.look(self._clock.ms)
        if on is not None:
            self._board.lights(*on)
        if self._update is not None:
            self._update.look(self._clock.ms)
        self._board.feed()

    def _speak(self) -> None:
        ms = self._clock.ms
        if not self.heart.silent:  # nobody would hear it
            place = self.outbox.due(ms)
            while place >= 0:
                self._send(EVENT, *self.outbox.event(place, ms))
                place = self.outbox.due(ms)
        fails = self._board.power_fails()
        flags = (fails and self._failing) | self.heart.armed << 1 | self.heart.cycling << 2
        self._failing = fails
        waited = since(ms, self._stated)
        if flags != self._flags or waited >= (ALARM_MS if flags & 1 else STATE_MS):
            if waited >= STATE_MS:
                self._temperature = self._board.temperature()
                self.outbox.grow_old(ms)
            self._flags = flags
            self._stated = ms
            self._state()

    def _state(self) -> None:
        inputs = self._exposed << EXPOSURE
        for place in SWITCHES:
            inputs |= self._switches[place].level << place
        box = self.outbox
        dropped = box.dropped + self._board.edges_lost & 0xFFFF
        following = box.first + box.count & 0xFFFFFFFF
        bad = self._decoder.bad
        self._send(STATE, self._clock.us, following, inputs, self._flags, self._temperature, bad, dropped)

    def _hello(self) -> None:
        board, box = self._board, self.outbox
        abilities = board.abilities | (_UPDATE if self._update is not None else 0)
        self._send(HELLO, VERSION, *FIRMWARE, board.cause, abilities, board.serial, box.run, box.first)

    def _send(self, kind: int, *fields: int) -> None:
        size = pack(self._payload, kind, self._sequence, *fields)
        self._sequence = self._sequence + 1 & 0xFF
        self._board.write(self._frame, encode(self._frame, self._payload, size))
